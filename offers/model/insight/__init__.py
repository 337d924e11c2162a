"""Nouns of key figures: the window, the columns they are counted from, and what is told of them."""
