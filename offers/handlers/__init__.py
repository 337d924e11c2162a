"""One file for each thing that can happen. Layer: flow."""
