"""Find the entries of the audit by what was done, so that a month of requests needs no full read.

Layer: edges. Takes: a database of revision 0019. Gives: the tables as they were at this revision.
"""

from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the index."""
    op.create_index("ix_audit_action_at_ms", "audit", ["action", "at_ms"])
