"""Serve the floor plan: drafts, imports, publishing, coverage."""
