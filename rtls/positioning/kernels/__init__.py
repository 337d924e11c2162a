"""Compiled array maths of positioning. Layer: kernels."""
