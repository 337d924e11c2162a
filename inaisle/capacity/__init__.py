"""The planner: what a chain of so many stores needs, from figures that were measured.

Layer: doors. Takes: stores, shoppers, rates. Gives: `inaisle plan`.
"""
