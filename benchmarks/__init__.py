"""What the README promises, measured beside a named peer."""
