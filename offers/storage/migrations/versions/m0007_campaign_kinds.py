"""Add what further triggers and benefits need.

Layer: edges. Takes: a database of revision 0006. Gives: the tables as they were at this revision.
"""

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Change nothing yet."""
