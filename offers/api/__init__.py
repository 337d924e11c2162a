"""Routes of the shopper's app, the till and the operator. Layer: edges."""
