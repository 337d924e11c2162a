"""Operator routes: health, live fixes, site map. Layer: edges."""
