"""Points, tiers, rewards, friends. Layer: edges."""
