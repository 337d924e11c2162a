"""Nouns of offers: immutable values that check themselves. Layer: nouns."""
