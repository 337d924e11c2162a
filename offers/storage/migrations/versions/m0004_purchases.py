"""Add baskets held, purchases, returns.

Layer: edges. Takes: a database of revision 0003. Gives: the tables as they were at this revision.
"""

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Change nothing yet."""
