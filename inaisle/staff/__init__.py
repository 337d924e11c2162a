"""Keys and users of the staff.

Layer: doors. Gives: what `inaisle.cli` and the commands start.
"""
