"""Add push subscriptions, trips and webhooks.

Layer: edges. Takes: a database of revision 0007. Gives: the tables as they were at this revision.
"""

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Change nothing yet."""
