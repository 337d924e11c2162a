"""The catalogue of products: put in, looked up, kept at hand.

Layer: doors. Gives: what `inaisle.cli` and the commands start.
"""
