"""What phones hear. Layer: edges."""
