"""Read what key figures are counted from, and write down what has changed."""
