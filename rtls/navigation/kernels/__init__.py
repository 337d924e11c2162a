"""Compiled array maths of navigation. Layer: kernels."""
