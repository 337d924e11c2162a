"""Say how key figures go out, each with its formula and its source.

Layer: edges. Takes: a `KpiReport`, `WeeklySeries`, `Change`s. Gives: bodies to kpi_routes and their
schemas to the OpenAPI document. Money is in minor units of the report's currency, rounded to three
digits: a figure, not an amount of anybody.
"""

import math
from datetime import date

from pydantic import Field

from offers.api.schema import Body, Instant, render_instant
from offers.insight.kpi_groups import KpiGroup
from offers.insight.kpi_report import KpiReport
from offers.insight.lifetime_value import HoldoutError
from offers.model.campaigns.audience import SHOPPERS_MIN
from offers.model.experiments.estimate import Interval
from offers.model.insight.drift import Change, Direction, DriftAlert, WeeklySeries
from offers.model.insight.funnel import FORMULAS, Funnel, Step
from offers.model.insight.kpi import DEFINITIONS, Kpi, KpiName, KpiUnit, Withheld
from offers.model.loyalty.segment import Segment
from rtls.model.units import UnixMs


class IntervalBody(Body):
    """Where the figure may lie; a bound that is open is null."""

    low: float | None
    high: float | None
    level: float = Field(examples=[0.95])

    @classmethod
    def of(cls, interval: Interval) -> "IntervalBody":
        """Render an interval."""
        low, high = (
            bound if math.isfinite(bound) else None for bound in (interval.low, interval.high)
        )
        return cls(low=low, high=high, level=interval.level)


class KpiBody(Body):
    """One key figure with its definition."""

    kpi: KpiName
    title: str
    value: float | None = Field(description="null where it is withheld", examples=[0.417])
    unit: KpiUnit
    interval: IntervalBody | None
    shoppers: int | None = Field(description="who stands behind it, to the nearest five")
    withheld: Withheld | None = Field(description="why there is no number")
    formula: str
    source: str

    @classmethod
    def of(cls, kpi: Kpi) -> "KpiBody":
        """Render a figure."""
        definition = kpi.definition
        return cls(
            kpi=kpi.name,
            title=definition.title,
            value=kpi.value,
            unit=definition.unit,
            interval=None if kpi.interval is None else IntervalBody.of(kpi.interval),
            shoppers=kpi.shoppers,
            withheld=kpi.withheld,
            formula=definition.formula,
            source=definition.source,
        )


class GroupBody(Body):
    """The figures of one segment; null stands for members who are in none."""

    segment: Segment | None
    kpis: tuple[KpiBody, ...]

    @classmethod
    def of(cls, group: KpiGroup) -> "GroupBody":
        """Render a group."""
        return cls(segment=group.segment, kpis=tuple(map(KpiBody.of, group.kpis)))


class StepBody(Body):
    """One step of the funnel."""

    step: Step
    count: int | None = Field(description="shoppers, once for each zone and day, to the nearest 5")
    share_of_step_before: float | None
    withheld: Withheld | None
    formula: str


class FunnelBody(Body):
    """From passing by to a purchase; of one zone, or of all with offers (null)."""

    zone: str | None
    steps: tuple[StepBody, ...]

    @classmethod
    def of(cls, funnel: Funnel) -> "FunnelBody":
        """Render a funnel."""
        steps = []
        for place, one in enumerate(funnel.steps):
            share = funnel.share_of_step_before(place)
            steps.append(
                StepBody(
                    step=one.step,
                    count=one.count,
                    share_of_step_before=None if share is None else round(share, 3),
                    withheld=one.withheld,
                    formula=FORMULAS[one.step],
                )
            )
        return cls(zone=funnel.zone, steps=tuple(steps))


class HoldoutErrorBody(Body):
    """How far off a forecast of the last weeks was, made with what was known before them."""

    forecast: str
    weighted_error: float = Field(description="sum of |forecast - truth| / sum of truth")
    bias: float = Field(description="sum of forecasts / sum of truth - 1")

    @classmethod
    def of(cls, error: HoldoutError) -> "HoldoutErrorBody":
        """Render an error."""
        return cls(
            forecast=error.name,
            weighted_error=round(error.weighted_error, 3),
            bias=round(error.bias, 3),
        )


class KpisBody(Body):
    """The key figures of a site over whole days."""

    site: str
    from_day: date
    until_day: date = Field(description="the first day that is not in it")
    time_zone: str
    currency: str = Field(description="that of most receipts; empty where there are none")
    receipts_left_out: int = Field(description="in other currencies, of this window and before")
    k: int = Field(description="below so many shoppers nothing is told")
    kpis: tuple[KpiBody, ...]
    segments: tuple[GroupBody, ...]
    funnel: FunnelBody
    zones: tuple[FunnelBody, ...]
    footfall_days_missing: int | None = Field(
        description="days of the window that the first steps of the funnel lack; null without them"
    )
    lifetime_value_holdout_weeks: int
    lifetime_value_errors: tuple[HoldoutErrorBody, ...]

    @classmethod
    def of(cls, report: KpiReport) -> "KpisBody":
        """Render a report."""
        window = report.window
        return cls(
            site=window.site,
            from_day=window.from_day,
            until_day=window.until_day,
            time_zone=window.time_zone,
            currency=report.currency,
            receipts_left_out=report.receipts_left_out,
            k=SHOPPERS_MIN,
            kpis=tuple(map(KpiBody.of, report.kpis)),
            segments=tuple(map(GroupBody.of, report.groups)),
            funnel=FunnelBody.of(report.funnel),
            zones=tuple(map(FunnelBody.of, report.zones)),
            footfall_days_missing=report.footfall_days_missing,
            lifetime_value_holdout_weeks=report.holdout_weeks,
            lifetime_value_errors=tuple(map(HoldoutErrorBody.of, report.lifetime_errors)),
        )


class ChangeBody(Body):
    """A figure that has changed for good, as far as weeks can tell."""

    kpi: KpiName
    title: str
    direction: Direction
    found_week: date = Field(description="the Monday of the week in which it was found")
    since_week: date = Field(description="the Monday of the week in which it probably began")
    before: float = Field(description="median of the weeks before it")
    after: float = Field(description="median since")
    formula: str

    @classmethod
    def of(cls, change: Change) -> "ChangeBody":
        """Render a change."""
        definition = DEFINITIONS[change.name]
        return cls(
            kpi=change.name,
            title=definition.title,
            direction=change.direction,
            found_week=change.found_week,
            since_week=change.since_week,
            before=change.before,
            after=change.after,
            formula=definition.formula,
        )


class SeriesBody(Body):
    """One figure week by week."""

    kpi: KpiName
    title: str
    unit: KpiUnit
    first_week: date
    values: tuple[float | None, ...] = Field(description="null where a week's figure is withheld")
    formula: str
    source: str

    @classmethod
    def of(cls, series: WeeklySeries) -> "SeriesBody":
        """Render a series."""
        definition = DEFINITIONS[series.name]
        return cls(
            kpi=series.name,
            title=definition.title,
            unit=definition.unit,
            first_week=series.first_week,
            values=series.values,
            formula=definition.formula,
            source=definition.source,
        )


class WeeksBody(Body):
    """The watched figures week by week, and what has changed in them."""

    site: str
    time_zone: str
    series: tuple[SeriesBody, ...]
    changes: tuple[ChangeBody, ...]


class AlertBody(Body):
    """A change that was told once."""

    number: int
    noted_at: Instant
    change: ChangeBody

    @classmethod
    def of(cls, alert: DriftAlert) -> "AlertBody":
        """Render an alert."""
        return cls(
            number=alert.number,
            noted_at=render_instant(UnixMs(alert.noted_at_ms)),
            change=ChangeBody.of(alert.change),
        )


class AlertsBody(Body):
    """Alerts, the oldest first."""

    alerts: tuple[AlertBody, ...]
    cursor: int
    has_more: bool
