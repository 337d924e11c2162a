"""The running service: its halves, the loop that locates, the server of the API.

Layer: doors. Gives: what `inaisle.cli` and the commands start.
"""
