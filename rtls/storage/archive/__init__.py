"""The history of a chain on an object store: written from its log, settled by day, read by site."""
