"""What merchandisers read: history, footfall, reviews, and who may read them.

Layer: doors. Gives: what `inaisle.cli` and the commands start.
"""
