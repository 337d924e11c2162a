"""Add the audit chain and what privacy needs.

Layer: edges. Takes: a database of revision 0002. Gives: the tables as they were at this revision.
"""

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Change nothing yet."""
