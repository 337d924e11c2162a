"""What merchandisers set going. Layer: edges."""
