"""A site full of anchors and shoppers, for tests, demo and load. Speaks only the wire."""
