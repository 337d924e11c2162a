"""Keep the cases of shoppers who are not content, and the answers to them.

Layer: edges. Takes: a database of revision 0010. Gives: the tables as they were at this revision.
"""

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Change nothing yet: the tables of cases follow with what reads and writes them."""
