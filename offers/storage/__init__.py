"""SQL behind the ports. Layer: edges."""
