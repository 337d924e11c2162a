"""Add tiers, rewards, referrals, surveys.

Layer: edges. Takes: a database of revision 0008. Gives: the tables as they were at this revision.
"""

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Change nothing yet."""
