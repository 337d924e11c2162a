"""Where zone events come over the seam from locating, and are decided about."""
