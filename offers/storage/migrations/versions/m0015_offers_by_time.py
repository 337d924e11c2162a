"""Find the offers of a site by the time at which they were made.

Layer: edges. Takes: a database of revision 0014. Gives: an index; reports of shelves read months.
"""

from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the index."""
    op.create_index("ix_offers_site_issued_at_ms", "offers", ["site", "issued_at_ms"])
