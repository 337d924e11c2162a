"""One decoder for each wire format, and a registry by topic. Layer: rules."""
