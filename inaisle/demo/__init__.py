"""The demo: the whole product on one machine.

Layer: doors. Gives: what `inaisle.cli` and the commands start.
"""
