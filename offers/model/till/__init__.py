"""What happens at the checkout. Layer: nouns."""
