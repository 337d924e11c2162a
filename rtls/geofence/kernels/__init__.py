"""Compiled array maths of geofence. Layer: kernels."""
