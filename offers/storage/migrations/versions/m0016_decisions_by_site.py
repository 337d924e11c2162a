"""Find the decisions of a site and a time without reading all that there are.

Layer: edges. Takes: a database of revision 0015. Gives: the tables as they were at this revision.
"""

from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the index that reports about a time read by."""
    op.create_index("ix_decisions_site_at_ms", "decisions", ["site", "at_ms"])
