"""The simulated shop: sent to a broker, or a whole day played into a folder.

Layer: doors. Gives: what `inaisle.cli` and the commands start.
"""
