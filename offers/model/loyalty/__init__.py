"""Points, tiers, rewards, friends. Layer: nouns."""
