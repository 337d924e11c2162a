"""Real-time locating: readings in, visits out. Knows no person."""
