"""The commands of the command line, a file for each thing they look after.

Layer: doors. Gives: what `inaisle.cli` and the commands start.
"""
