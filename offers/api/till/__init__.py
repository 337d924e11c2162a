"""What happens at the checkout. Layer: edges."""
