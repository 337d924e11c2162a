"""Where shoppers are and for how long. Layer: nouns."""
