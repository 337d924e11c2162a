"""Write the questions that the history is asked, for DuckDB.

Layer: edges. Takes: stretches of time, and numbers and lists bound as parameters. Gives: texts to
the history's reader. Each names only the columns that it needs, and the time that it is about, so
that DuckDB reads no others.
"""

import itertools
from collections.abc import Sequence
from typing import Final

from rtls.model.footfall import DWELL_EDGES_S
from rtls.storage.history.fix_sampler import FIRST_S, GAP_MS_MAX
from rtls.storage.history.history_folder import Table
from rtls.storage.history.site_days import Span

# The names of the folders are ours to read; as columns they would be in every answer.
SOURCE: Final = "read_parquet($paths, hive_partitioning = false)"
WITHIN: Final = "/* within */"
_INSTANT: Final = {Table.FIXES: "at_ms", Table.VISITS: "entered_at_ms"}
_EMPTY: Final = {
    Table.FIXES: (
        "(SELECT 0::BIGINT AS at_ms, 0::UBIGINT AS visitor, 0::SMALLINT AS floor, 0::FLOAT AS x_m, "
        "0::FLOAT AS y_m, 0::FLOAT AS sigma_m, 0::FLOAT AS weight_s, '' AS cohort WHERE false)"
    ),
    Table.VISITS: (
        "(SELECT 0::UBIGINT AS visitor, '' AS zone, 0::SMALLINT AS floor, "
        "0::BIGINT AS entered_at_ms, 0::BIGINT AS left_at_ms, 0::FLOAT AS dwell_s, "
        "false AS is_pass, '' AS cohort WHERE false)"
    ),
}
# A floor or cohort of NULL lets all.
_ROWS: Final = (
    f" FROM {SOURCE} WHERE {WITHIN} AND ($floor IS NULL OR floor = $floor) "
    "AND ($cohort IS NULL OR cohort = $cohort) "
)
_COHORT: Final = "CAST(coalesce(list_position($cohorts, cohort), 0) - 1 AS INTEGER) AS cohort"
_ZONE: Final = "CAST(coalesce(list_position($zones, zone), 0) - 1 AS INTEGER) AS zone"

COUNT: Final = "SELECT count(*) AS n" + _ROWS
COHORTS: Final = "SELECT DISTINCT cohort AS name" + _ROWS
ZONES: Final = "SELECT DISTINCT zone AS name" + _ROWS
FIX_ROWS: Final = f"SELECT at_ms, visitor, floor, x_m, y_m, sigma_m, weight_s, {_COHORT}" + _ROWS
PLAYED_ROWS: Final = "SELECT at_ms, visitor, x_m, y_m" + _ROWS
VISIT_ROWS: Final = (
    f"SELECT visitor, {_ZONE}, floor, entered_at_ms, left_at_ms, dwell_s, is_pass, {_COHORT}"
    + _ROWS
)
# Visitors first, cells then: two plain groupings are many times faster than count(DISTINCT).
CELL_TIMES: Final = (
    'SELECT floor, "column", "row", count(*) AS visitors, sum(person_s) AS person_s FROM ('
    'SELECT floor, CAST(floor(x_m / CAST($cell_m AS DOUBLE)) AS INTEGER) AS "column", '
    'CAST(floor(y_m / CAST($cell_m AS DOUBLE)) AS INTEGER) AS "row", '
    "visitor, sum(CAST(weight_s AS DOUBLE)) AS person_s"
    + _ROWS
    + 'GROUP BY ALL) GROUP BY ALL ORDER BY floor, "row", "column"'
)


def _bins() -> str:
    lows = [f"dwell_s >= {low}" for low in (0, *DWELL_EDGES_S)]
    highs = [*(f" AND dwell_s < {high}" for high in DWELL_EDGES_S), ""]
    return ", ".join(
        f"count(*) FILTER (NOT is_pass AND {low}{high}) AS bin_{index}"
        for index, (low, high) in enumerate(zip(lows, highs, strict=True))
    )


ZONE_STAYS: Final = (
    f"SELECT {_ZONE}, count(DISTINCT visitor) AS visitors, "
    "count(DISTINCT visitor) FILTER (is_pass) AS passers, "
    "count(DISTINCT visitor) FILTER (NOT is_pass) AS stoppers, "
    "count(*) FILTER (NOT is_pass) AS stops, "
    "coalesce(sum(CAST(dwell_s AS DOUBLE)) FILTER (NOT is_pass), 0.0) AS dwell_s, "
    + _bins()
    + _ROWS
    + "GROUP BY zone ORDER BY 1"
)
SORTED: Final = {
    Table.FIXES: f"SELECT * FROM {SOURCE} ORDER BY at_ms, visitor, floor, x_m, y_m",
    Table.VISITS: f"SELECT * FROM {SOURCE} ORDER BY entered_at_ms, visitor, zone, left_at_ms",
}
# Of a chain's archive: what was put or told twice counts once.
ONCE: Final = {
    Table.FIXES: (
        "SELECT at_ms, visitor, floor, x_m, y_m, sigma_m, CAST(CASE WHEN at_ms - before_ms <= "
        f"{GAP_MS_MAX} THEN (at_ms - before_ms) / 1000.0 ELSE {FIRST_S} END AS FLOAT) AS weight_s, "
        "cohort FROM (SELECT *, lag(at_ms) OVER (PARTITION BY visitor ORDER BY at_ms) AS before_ms "
        "FROM (SELECT *, row_number() OVER (PARTITION BY visitor, at_ms // 1000 ORDER BY at_ms) "
        f"AS nth FROM {SOURCE}) WHERE nth = 1) ORDER BY at_ms, visitor"
    ),
    Table.VISITS: (
        "SELECT visitor, zone, floor, entered_at_ms, left_at_ms, dwell_s, is_pass, cohort FROM ("
        "SELECT *, row_number() OVER (PARTITION BY told ORDER BY revision DESC) AS nth "
        f"FROM {SOURCE}) WHERE nth = 1 AND NOT is_withdrawn "
        "ORDER BY entered_at_ms, visitor, zone, left_at_ms"
    ),
}
# Reads every page of every column: so the file that cannot be read is found.
READ_ALL: Final = {
    Table.FIXES: (
        "SELECT sum(at_ms), bit_xor(visitor), sum(floor), sum(x_m), sum(y_m), sum(sigma_m), "
        f"sum(weight_s), max(cohort) FROM {SOURCE}"
    ),
    Table.VISITS: (
        "SELECT bit_xor(visitor), max(zone), sum(floor), sum(entered_at_ms), sum(left_at_ms), "
        f"sum(dwell_s), bool_or(is_pass), max(cohort) FROM {SOURCE}"
    ),
}


def within(query: str, table: Table, spans: Sequence[Span]) -> str:
    """Return the query about some stretches of time, in order and with nothing in common."""
    instant = _INSTANT[table]
    asked = f"{instant} >= {spans[0].start_ms:d} AND {instant} < {spans[-1].end_ms:d}"
    for before, after in itertools.pairwise(spans):
        if before.end_ms < after.start_ms:
            asked += f" AND ({instant} < {before.end_ms:d} OR {instant} >= {after.start_ms:d})"
    return query.replace(WITHIN, asked)


def about_nothing(query: str, table: Table) -> str:
    """Return the query about no rows: its answer has the columns all the same."""
    return query.replace(SOURCE, _EMPTY[table])
