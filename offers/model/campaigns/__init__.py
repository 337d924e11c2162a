"""What merchandisers set going. Layer: nouns."""
