"""Footfall for merchandisers: routes, tables, pictures. Layer: edges."""
