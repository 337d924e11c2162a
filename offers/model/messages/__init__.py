"""What is told outside the app. Layer: nouns."""
