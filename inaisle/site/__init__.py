"""The map of a site: loaded, drawn, published, imported, and how well radio covers it.

Layer: doors. Gives: what `inaisle.cli` and the commands start.
"""
