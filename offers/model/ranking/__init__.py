"""State what is ranked, and what a scorer is: columns, trees, linear models."""
