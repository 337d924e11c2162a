"""Keep site maps: the draft, what was published, the pictures drawn after."""
