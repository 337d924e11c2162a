"""What shoppers did and said. Layer: flow."""
