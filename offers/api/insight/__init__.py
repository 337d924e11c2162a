"""Serve key figures, their weeks, their alerts and the review."""
