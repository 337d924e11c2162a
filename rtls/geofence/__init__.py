"""Which zones a track is in, and for how long. Layer: rules."""
