"""Product search. Layer: rules."""
