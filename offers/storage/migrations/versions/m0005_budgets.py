"""Add budgets by scope and unit.

Layer: edges. Takes: a database of revision 0004. Gives: the tables as they were at this revision.
"""

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Change nothing yet."""
