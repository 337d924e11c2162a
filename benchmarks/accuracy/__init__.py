"""Accuracy beside its targets: simulated scenes with their bounds, and real recordings.

Layer: benchmarks. Takes: scenes drawn from seeds, and the recordings beside the checkout.
Gives: one table of figures, targets and peers; see README.md in this folder.
"""
