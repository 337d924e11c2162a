"""Points, tiers and segments: what a shopper has earned. Layer: rules."""
