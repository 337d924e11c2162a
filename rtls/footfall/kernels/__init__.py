"""Array maths of footfall. Layer: kernels."""
