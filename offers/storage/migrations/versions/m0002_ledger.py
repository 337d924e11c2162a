"""Add the ledger of points and cashback.

Layer: edges. Takes: a database of revision 0001. Gives: the tables as they were at this revision.
"""

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Change nothing yet."""
