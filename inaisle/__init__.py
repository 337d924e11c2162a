"""The door: the command line that wires all parts and reads clock and environment."""
