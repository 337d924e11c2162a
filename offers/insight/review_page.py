"""Lay the review out as one page for screen and paper.

Layer: rules. Takes: a `Review`. Gives: an HTML document to the API, the review writer and the
command line. It loads nothing and runs nothing: its one style is in the page, and the policy in its
head allows nothing else.
"""

import base64
import hashlib
from collections.abc import Iterable
from html import escape
from typing import Final

from offers.insight.drift import LEARNT_WEEKS_MIN
from offers.insight.kpi_groups import KpiGroup
from offers.insight.kpi_report import KpiReport
from offers.insight.review import REASONS, Review, days_in_words, words_for
from offers.insight.review_chart import funnel_chart, trend
from offers.model.campaigns.audience import SHOPPERS_MIN
from offers.model.experiments.estimate import Interval
from offers.model.insight.drift import Change, Direction, WeeklySeries
from offers.model.insight.funnel import FORMULAS, Funnel
from offers.model.insight.kpi import DEFINITIONS, Kpi, KpiName, KpiUnit

HEADLINES: Final = (
    KpiName.RETENTION,
    KpiName.MEAN_BASKET,
    KpiName.REDEMPTION_RATE,
    KpiName.LIFETIME_VALUE,
    KpiName.MEMBERS_SHARE,
    KpiName.COST_PER_INCREMENTAL_EURO,
)
SEGMENT_NAMES: Final = {
    "new": "New",
    "occasional": "Occasional",
    "high_value": "High value",
    "at_risk": "At risk",
}
STYLE: Final = """
:root{--ink:#16202c;--soft:#5b6776;--line:#dfe4ea;--paper:#fff;--wash:#f5f7f9;--hue:#0f6b63;
--hue-2:#9fd0c8;--warm:#b4531a}
*{box-sizing:border-box}
body{margin:0 auto;max-width:62rem;padding:2.5rem 2rem 4rem;color:var(--ink);
background:var(--paper);font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}
h1,h2,h3,p,dl,dd,ul{margin:0}
header{border-bottom:3px solid var(--ink);padding-bottom:1.1rem;margin-bottom:1.8rem}
header p{color:var(--soft)}
h1{font-size:2rem;line-height:1.15;letter-spacing:-.02em}
h2{font-size:1.15rem;letter-spacing:-.01em;margin-bottom:.8rem}
section{margin-top:2.4rem}
.lead{color:var(--soft);max-width:44rem;margin-bottom:.9rem}
.tiles{display:grid;grid-template-columns:repeat(3,1fr);gap:.8rem}
.tile{background:var(--wash);border-radius:10px;padding:1rem 1.1rem;break-inside:avoid}
.tile h3{font-size:.82rem;font-weight:600;color:var(--soft)}
.value{font-size:1.75rem;font-weight:650;letter-spacing:-.02em;font-variant-numeric:tabular-nums}
.value.none{font-size:1rem;font-weight:500;color:var(--soft);letter-spacing:0;
padding:.55rem 0 .35rem}
.beside{font-size:.8rem;color:var(--soft);font-variant-numeric:tabular-nums}
.changes{list-style:none;padding:0}
.changes li{border-left:3px solid var(--hue);padding:.15rem 0 .15rem .9rem;margin-bottom:.7rem}
.changes li.down{border-color:var(--warm)}
.trends{display:grid;grid-template-columns:1fr 1fr;gap:1.2rem 1.6rem}
.trends figure{margin:0;break-inside:avoid}
figcaption{font-size:.85rem;font-weight:600;margin-bottom:.2rem}
svg{display:block;width:100%;height:auto;font-family:inherit}
svg text{fill:var(--soft);font-size:10.5px}
.grid{stroke:var(--line);stroke-width:1}
.tick{text-anchor:end}
.week.start{text-anchor:start}.week.end{text-anchor:end}
.none{text-anchor:middle;font-style:italic}.none.start{text-anchor:start}
.line{fill:none;stroke:var(--hue);stroke-width:2;stroke-linejoin:round;stroke-linecap:round}
.dot{fill:var(--hue)}
.mark{stroke:var(--warm);stroke-width:1.2;stroke-dasharray:3 3}
.funnel{max-width:46rem;margin-bottom:1.2rem}
.funnel text{font-size:13px}
.funnel .step{fill:var(--ink);font-weight:600}
.funnel .count{fill:var(--ink);font-weight:600}.funnel tspan{fill:var(--soft);font-weight:400}
.bar{fill:var(--hue)}.bar.s0,.bar.s1{fill:var(--hue-2)}
table{border-collapse:collapse;width:100%;font-size:.87rem;font-variant-numeric:tabular-nums}
th,td{text-align:right;padding:.42rem .6rem;border-bottom:1px solid var(--line);vertical-align:top}
th:first-child,td:first-child{text-align:left;padding-left:0}
thead th{font-weight:600;color:var(--soft);border-bottom:1px solid var(--ink)}
td.none{color:var(--soft);font-style:italic;text-anchor:unset}
.terms dt{font-weight:600;margin-top:.7rem}
.terms dd{color:var(--soft);font-size:.85rem}
footer{margin-top:3rem;padding-top:.8rem;border-top:1px solid var(--line);color:var(--soft);
font-size:.8rem}
@media (max-width:46rem){.tiles,.trends{grid-template-columns:1fr}body{padding:1.2rem 1rem 3rem}}
@media print{@page{size:A4;margin:14mm}body{padding:0;max-width:none;font-size:10.5pt}
section{margin-top:1.5rem}.tile{border:1px solid var(--line)}h2{break-after:avoid}
tr,.changes li,.terms dt,.terms dd,.funnel{break-inside:avoid}.terms dt{break-after:avoid}
*{-webkit-print-color-adjust:exact;print-color-adjust:exact}}
"""


def review_page(review: Review) -> str:
    """Return the document; whatever anybody wrote is escaped."""
    days = days_in_words(review.report.window.from_day, review.report.window.until_day)
    title = f"{review.site_name}: review of {days}"
    head = (
        '<meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f'<meta http-equiv="Content-Security-Policy" content="{escape(page_policy())}">'
        f"<title>{escape(title)}</title><style>{STYLE}</style>"
    )
    body = "".join(
        [
            _header(review, days),
            _headlines(review.report),
            _changes(review),
            _funnel(review.report),
            _trends(review),
            _segments(review.report),
            _beside_others(review.report),
            _value_of_members(review.report),
            _definitions(review.report),
            _footer(review),
        ]
    )
    return f'<!doctype html><html lang="en"><head>{head}</head><body>{body}</body></html>\n'


def page_policy() -> str:
    """Return what the page may load: its own style, by its hash."""
    digest = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
    return f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"


def _header(review: Review, days: str) -> str:
    window = review.report.window
    made = f"{review.made_on.day} {review.made_on:%B %Y}"
    return (
        f"<header><p>{escape(review.site_name)}</p><h1>{escape(days)}</h1>"
        f"<p>{window.days} days by the clocks of {escape(window.time_zone)}, made on {made}. "
        f"Nothing is told of fewer than {SHOPPERS_MIN} shoppers.</p></header>"
    )


def _headlines(report: KpiReport) -> str:
    tiles = "".join(_tile(_kpi(report.kpis, name), report.currency) for name in HEADLINES)
    return f'<section><h2>At a glance</h2><div class="tiles">{tiles}</div></section>'


def _tile(kpi: Kpi, currency: str) -> str:
    value = (
        f'<p class="value">{_value(kpi, currency)}</p>'
        if kpi.value is not None
        else f'<p class="value none">{_value(kpi, currency)}</p>'
    )
    beside = _interval(kpi.interval, kpi.definition.unit, currency) if kpi.interval else ""
    if kpi.shoppers is not None:
        beside = f"{beside} · {kpi.shoppers:,} shoppers".removeprefix(" · ")
    return (
        f'<div class="tile"><h3>{escape(kpi.definition.title)}</h3>{value}'
        f'<p class="beside">{beside or "&nbsp;"}</p></div>'
    )


def _changes(review: Review) -> str:
    if not review.weeks:
        return ""
    found = sorted(review.changes, key=lambda one: one.found_week, reverse=True)
    said = "".join(_change(one, review.report.currency) for one in found)
    known = max(len(_told(one)) for one in review.weeks)
    nothing = (
        "Nothing has changed for good." if known > LEARNT_WEEKS_MIN else "It is too early to say."
    )
    inside = f'<ul class="changes">{said}</ul>' if said else f"<p>{nothing}</p>"
    return (
        "<section><h2>What has changed</h2>"
        '<p class="lead">A figure has changed when several weeks together are too odd for chance, '
        f"judged by the weeks before and by last year’s.</p>{inside}</section>"
    )


def _change(change: Change, currency: str) -> str:
    definition = DEFINITIONS[change.name]
    before, after = (
        words_for(value, definition.unit, currency) for value in (change.before, change.after)
    )
    word = "up" if change.direction is Direction.UP else "down"
    since = f"{change.since_week.day} {change.since_week:%B %Y}"
    return (
        f'<li class="{word}"><strong>{escape(definition.title)} is {word}</strong> from '
        f"{before} to {after} since the week of {since}.</li>"
    )


def _funnel(report: KpiReport) -> str:
    rows = "".join(_zone(funnel) for funnel in report.zones)
    head = "".join(f"<th>{one.step.value}</th>" for one in report.funnel.steps)
    table = (
        f"<table><thead><tr><th>zone</th>{head}</tr></thead><tbody>{rows}</tbody></table>"
        if rows
        else ""
    )
    missing = report.footfall_days_missing
    gap = f" Footfall lacks {missing} of the days." if missing else ""
    return (
        "<section><h2>From the shelf to the till</h2>"
        '<p class="lead">Each shopper counts once for a zone and a day; counts are to the nearest '
        f"five.{gap}</p>{funnel_chart(report.funnel)}{table}</section>"
    )


def _zone(funnel: Funnel) -> str:
    cells = "".join(
        f"<td>{one.count:,}</td>" if one.count is not None else '<td class="none">–</td>'
        for one in funnel.steps
    )
    return f"<tr><td>{escape(funnel.zone or '')}</td>{cells}</tr>"


def _trends(review: Review) -> str:
    drawn = [one for one in review.weeks if len(_told(one)) > 1]
    if not drawn:
        return ""
    figures = "".join(
        f"<figure><figcaption>{escape(DEFINITIONS[one.name].title)}</figcaption>"
        f"{trend(one, review.changes, currency=review.report.currency)}</figure>"
        for one in drawn
    )
    return f'<section><h2>Week by week</h2><div class="trends">{figures}</div></section>'


def _told(series: WeeklySeries) -> list[float]:
    return [value for value in series.values if value is not None]


def _segments(report: KpiReport) -> str:
    names = [kpi.name for kpi in report.groups[0].kpis] if report.groups else []
    head = "".join(f"<th>{escape(DEFINITIONS[name].title)}</th>" for name in names)
    rows = "".join(_segment(group, report.currency) for group in report.groups)
    return (
        "<section><h2>By segment</h2>"
        '<p class="lead">A dash stands where nothing happened or too few stand behind it.</p>'
        "<table><thead><tr><th>segment</th>"
        f"{head}</tr></thead><tbody>{rows}</tbody></table></section>"
    )


def _segment(group: KpiGroup, currency: str) -> str:
    name = "In none" if group.segment is None else SEGMENT_NAMES[group.segment.value]
    # In a narrow column a dash says it; the reason is in the table for spreadsheets.
    cells = "".join(
        _cell(kpi, currency) if kpi.value is not None else '<td class="none">–</td>'
        for kpi in group.kpis
    )
    return f"<tr><td>{name}</td>{cells}</tr>"


def _beside_others(report: KpiReport) -> str:
    names = (
        KpiName.MEAN_BASKET,
        KpiName.OTHERS_MEAN_BASKET,
        KpiName.BASKET_DIFFERENCE,
        KpiName.MEMBERS_SHARE,
        KpiName.PURCHASE_FREQUENCY,
        KpiName.REPEAT_RATE,
    )
    return _table("Members and others", [_kpi(report.kpis, name) for name in names], report)


def _value_of_members(report: KpiReport) -> str:
    if not report.lifetime_errors:
        return ""
    rows = "".join(
        f"<tr><td>{escape(one.name)}</td><td>{100 * one.weighted_error:.1f} %</td>"
        f"<td>{100 * one.bias:+.1f} %</td></tr>"
        for one in report.lifetime_errors
    )
    return (
        "<section><h2>How well the value of members is foretold</h2>"
        f'<p class="lead">The last {report.holdout_weeks} weeks were kept apart and foretold from '
        "what lies before them: by the model, and by two who know less.</p>"
        "<table><thead><tr><th>forecast</th><th>weighted error</th><th>bias</th></tr></thead>"
        f"<tbody>{rows}</tbody></table></section>"
    )


def _table(title: str, kpis: Iterable[Kpi], report: KpiReport) -> str:
    rows = "".join(
        f"<tr><td>{escape(kpi.definition.title)}</td>{_cell(kpi, report.currency)}"
        f"<td>{_interval(kpi.interval, kpi.definition.unit, report.currency)}</td></tr>"
        for kpi in kpis
    )
    return (
        f"<section><h2>{escape(title)}</h2><table><thead><tr><th>figure</th><th>value</th>"
        f"<th>95 % interval</th></tr></thead><tbody>{rows}</tbody></table></section>"
    )


def _definitions(report: KpiReport) -> str:
    figures = "".join(
        f"<dt>{escape(kpi.definition.title)}</dt><dd>{_sentence(kpi.definition.formula)} "
        f"Source: {escape(kpi.definition.source)}.</dd>"
        for kpi in report.kpis
    )
    steps = "".join(
        f"<dt>{one.step.value.capitalize()}</dt><dd>{_sentence(FORMULAS[one.step])}</dd>"
        for one in report.funnel.steps
    )
    return (
        f'<section><h2>What each figure means</h2><dl class="terms">{figures}{steps}</dl></section>'
    )


def _footer(review: Review) -> str:
    left_out = review.report.receipts_left_out
    money = f" {left_out} receipts in other currencies are left out." if left_out else ""
    return (
        f"<footer>{escape(review.report.window.site)} · {review.report.window.from_day} until "
        f"{review.report.window.until_day}, which is no longer part of it.{money}</footer>"
    )


def _sentence(words: str) -> str:
    return escape(f"{words[:1].upper()}{words[1:]}.")


def _cell(kpi: Kpi, currency: str) -> str:
    kind = "" if kpi.value is not None else ' class="none"'
    return f"<td{kind}>{_value(kpi, currency)}</td>"


def _value(kpi: Kpi, currency: str) -> str:
    if kpi.value is not None:
        return escape(words_for(kpi.value, kpi.definition.unit, currency))
    return REASONS[kpi.withheld] if kpi.withheld is not None else ""


def _interval(interval: Interval | None, unit: KpiUnit, currency: str) -> str:
    if interval is None:
        return ""
    low, high = (words_for(bound, unit, currency) for bound in (interval.low, interval.high))
    return escape(f"{low} to {high}")


def _kpi(kpis: Iterable[Kpi], name: KpiName) -> Kpi:
    return next(kpi for kpi in kpis if kpi.name is name)
