"""State what is tried on whom, what was logged of it, and what it was worth."""
