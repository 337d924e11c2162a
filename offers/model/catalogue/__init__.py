"""Nouns of the catalogue: what a shop sells, and where it stands. Layer: nouns."""
