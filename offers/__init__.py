"""Visits in, offers and redemptions out. Knows people, not radio."""
