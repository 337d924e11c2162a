"""Score offers and items for a shopper, and choose among them while learning."""
