"""What merchandisers set going. Layer: flow."""
