"""Many sites at once: bridge, workers, and what stands around them.

Layer: doors. Takes: settings. Gives: processes to inaisle.commands.cli_chain.
"""
