"""Lay down the tables of experiments and of who met them.

Layer: edges. Takes: column functions. Gives: the tables to repositories and migrations. A shopper
stands once for each design: the arm of the first meeting is the one that counts.
"""

from typing import Final

import sqlalchemy as sa

from offers.storage.tables.columns import METADATA, DataClass, key, number, text

EXPERIMENTS: Final = sa.Table(
    "experiments",
    METADATA,
    key("experiment_id", primary=True),
    text("site", DataClass.BUSINESS),
    number("revision", DataClass.BUSINESS),
    number("started_at_ms", DataClass.BUSINESS),
    number("stopped_at_ms", DataClass.BUSINESS, nullable=True),
    sa.Index(None, "site"),
)

EXPERIMENT_REVISIONS: Final = sa.Table(
    "experiment_revisions",
    METADATA,
    key("experiment_id", sa.ForeignKey("experiments.experiment_id"), primary=True),
    number("revision", DataClass.BUSINESS, primary=True),
    text("document", DataClass.BUSINESS),
    sa.CheckConstraint("revision >= 1", name="revision"),
)

ASSIGNMENTS: Final = sa.Table(
    "assignments",
    METADATA,
    text("site", DataClass.BEHAVIOUR, primary=True),
    # "*" is the global holdout, which has no row among the experiments.
    key("experiment_id", primary=True),
    text("salt", DataClass.BUSINESS, primary=True),
    key("shopper_id", sa.ForeignKey("shoppers.shopper_id"), primary=True),
    number("arm", DataClass.BEHAVIOUR),
    number("revision", DataClass.BUSINESS),
    number("at_ms", DataClass.BEHAVIOUR),
    sa.CheckConstraint("arm >= 0", name="arm"),
    sa.Index(None, "shopper_id"),
    sa.Index(None, "at_ms"),
)
