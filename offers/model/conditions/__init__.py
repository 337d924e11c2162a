"""What is known of a shopper, and what may be asked of it. Layer: nouns."""
