"""What happens at the checkout. Layer: flow."""
