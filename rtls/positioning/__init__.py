"""From reading batches to fixes and tracks. Layer: rules."""
