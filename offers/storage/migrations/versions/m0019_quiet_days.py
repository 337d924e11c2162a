"""Let shoppers be left alone at the shelves for a day.

Layer: edges. Takes: a database of revision 0018. Gives: the tables as they were at this revision.
"""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add until when a shopper has asked to be left alone."""
    op.add_column("contact_wishes", sa.Column("paused_until_ms", sa.BigInteger(), nullable=True))
