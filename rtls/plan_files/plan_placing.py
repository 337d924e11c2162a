"""Bring a plan of pixels or of unknown units into metres, when its scale is known.

Layer: rules. Takes: an `ImportedPlan` and metres of one unit. Gives: one in metres, its lower left
corner at the origin, to `inaisle site-map import`; the floor studio fits points instead.
"""

from dataclasses import replace

from rtls.model.errors import InvalidGeometry
from rtls.model.imported_plan import ImportedPlan, PlanUnits, extent_of
from rtls.plan_files.drawn_features import rounded
from rtls.plan_files.lon_lat import moved

M_PER_UNIT_MAX = 1_000.0


def in_metres(plan: ImportedPlan, m_per_unit: float) -> ImportedPlan:
    """Return a plan in metres; one that is in metres already is returned as it is.

    Raises
    ------
    InvalidGeometry
        If the scale is not above 0, or more than a kilometre.
    """
    if not 0.0 < m_per_unit <= M_PER_UNIT_MAX:
        raise InvalidGeometry(
            f"the scale is {m_per_unit} m for one unit; expected above 0, up to "
            f"{M_PER_UNIT_MAX:g}. Measure something that is on the plan."
        )
    if plan.units is PlanUnits.METRE:
        return plan
    x0, y0, _, y1 = plan.extent
    is_down = plan.units is PlanUnits.PIXEL

    def place(corner: tuple[float, ...]) -> tuple[float, ...]:
        up = y1 - corner[1] if is_down else corner[1] - y0
        return rounded(((corner[0] - x0) * m_per_unit, up * m_per_unit))

    features = tuple(
        replace(feature, shape=feature.shape and moved(feature.shape, place))
        for feature in plan.features
    )
    return replace(plan, features=features, units=PlanUnits.METRE, extent=extent_of(features))
