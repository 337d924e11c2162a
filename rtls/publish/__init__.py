"""Zone events and live fixes to the in-process bus or Redis. Layer: edges."""
