"""What is tried, what came of it, and what another ranking is worth. Layer: edges."""
