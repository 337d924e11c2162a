"""Points, tiers, rewards, friends. Layer: flow."""
