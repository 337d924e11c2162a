"""From the outbox to the shopper's app. Layer: edges."""
