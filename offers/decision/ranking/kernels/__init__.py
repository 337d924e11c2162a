"""Count over arrays: histograms, trees, sums of pairs."""
