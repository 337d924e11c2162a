"""The position history: who was where, for reports about many; nobody is named in it."""
