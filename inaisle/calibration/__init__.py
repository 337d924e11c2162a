"""What a survey teaches of a site's radio: read, fitted, tested, kept.

Layer: doors. Gives: what `inaisle.cli` and the commands start.
"""
