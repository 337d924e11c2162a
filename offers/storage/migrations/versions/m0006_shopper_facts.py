"""Add what conditions ask about a shopper.

Layer: edges. Takes: a database of revision 0005. Gives: the tables as they were at this revision.
"""

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Change nothing yet."""
