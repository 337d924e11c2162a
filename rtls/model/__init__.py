"""Nouns of locating: immutable values that check themselves. Layer: nouns."""
