"""Recordings: made, replayed, scored against the truth.

Layer: doors. Gives: what `inaisle.cli` and the commands start.
"""
