"""Engine snapshots and live state. Layer: edges."""
