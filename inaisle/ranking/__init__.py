"""Ranking on a retailer's tables: answered, trained.

Layer: doors. Gives: what `inaisle.cli` and the commands start.
"""
