"""The database of offers, as who runs it looks after it.

Layer: doors. Gives: what `inaisle.cli` and the commands start.
"""
