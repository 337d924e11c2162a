"""Gateways and their accounts with the broker.

Layer: doors. Takes: arguments. Gives: what inaisle.commands.cli_gateway starts.
"""
