"""From what happened to the offer in the app. Layer: nouns."""
