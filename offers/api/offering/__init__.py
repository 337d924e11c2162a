"""Offers in the app. Layer: edges."""
