"""Which offer, if any, now, and why not the others. Layer: rules."""
