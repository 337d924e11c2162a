"""What happens where shoppers are. Layer: flow."""
