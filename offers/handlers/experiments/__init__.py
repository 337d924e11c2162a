"""Start, stop and judge experiments, and take decisions again from the log. Layer: flow."""
