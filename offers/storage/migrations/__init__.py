"""Revisions of the schema, as Alembic reads them. Layer: edges."""
