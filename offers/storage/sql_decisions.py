"""Keep the log of decisions in SQL. There is an insert here, and no update.

Layer: edges. Takes: a connection inside a transaction. Gives: `offers.ports.Decisions`. What was
passed over, and why, is one JSON text: it is read as a whole or not at all.
"""

import json

import sqlalchemy as sa

from offers.model.ids import CampaignId, ConsentId, DecisionId, ShopperId, VisitId
from offers.model.offering.decision import Choice, Decision, PassedOver, Weighed
from offers.model.offering.refusal import PushRefusal, Refusal
from offers.storage.tables import DECISIONS
from rtls.model.units import SiteId, UnixMs, ZoneId

_ADD_DECISIONS = sa.insert(DECISIONS)
_OF_SHOPPER = (
    sa.select(DECISIONS)
    .where(DECISIONS.c.shopper_id == sa.bindparam("shopper"))
    .order_by(DECISIONS.c.sequence.desc())
    .limit(sa.bindparam("most", type_=sa.Integer))
)

_IS_DECIDED = sa.select(DECISIONS.c.decision_id).where(
    DECISIONS.c.event_id == sa.bindparam("event")
)


class SqlDecisions:
    """The log of decisions."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def append(self, decision: Decision) -> None:
        """Write one decision."""
        chosen = decision.chosen
        passed_over = [_render_passed_over(entry) for entry in decision.passed_over]
        self._connection.execute(
            _ADD_DECISIONS,
            {
                "decision_id": decision.decision,
                "event_id": decision.event_id,
                "shopper_id": decision.shopper,
                "site": decision.site,
                "occasion": decision.occasion,
                "zone": decision.zone,
                "visit_id": decision.visit,
                "at_ms": decision.at_ms,
                "policy": decision.policy,
                "chosen": None if chosen is None else _render_choice(chosen),
                "passed_over": json.dumps(passed_over),
            },
        )

    def is_decided(self, event_id: str) -> bool:
        """Say whether there is a decision about the event."""
        found = self._connection.execute(_IS_DECIDED, {"event": event_id})
        return found.one_or_none() is not None

    def of_shopper(self, shopper: ShopperId, *, limit: int) -> tuple[Decision, ...]:
        """Return the newest decisions about the shopper, newest first."""
        rows = self._connection.execute(_OF_SHOPPER, {"shopper": shopper, "most": limit})
        return tuple(
            Decision(
                decision=DecisionId(row.decision_id),
                event_id=row.event_id,
                shopper=ShopperId(row.shopper_id),
                site=SiteId(row.site),
                occasion=row.occasion,
                zone=None if row.zone is None else ZoneId(row.zone),
                visit=None if row.visit_id is None else VisitId(row.visit_id),
                at_ms=UnixMs(row.at_ms),
                policy=row.policy,
                chosen=None if row.chosen is None else _parse_choice(row.chosen),
                passed_over=tuple(
                    _parse_passed_over(*entry) for entry in json.loads(row.passed_over)
                ),
            )
            for row in rows
        )


def _render_passed_over(entry: PassedOver) -> list[object]:
    """Return an entry as short as it can be: most have neither a place nor a ranking."""
    row: list[object] = [entry.campaign, entry.revision, entry.refusal.value]
    if entry.place is not None or entry.weighed is not None:
        row.append(entry.place)
    if entry.weighed is not None:
        row.append(_render_weighed(entry.weighed))
    return row


def _parse_passed_over(
    campaign: str,
    revision: int,
    refusal: str,
    place: str | None = None,
    weighed: list[float] | None = None,
) -> PassedOver:
    return PassedOver(
        campaign=CampaignId(campaign),
        revision=revision,
        refusal=Refusal(refusal),
        place=place,
        weighed=_parse_weighed(weighed),
    )


def _render_weighed(weighed: Weighed | None) -> list[float] | None:
    return None if weighed is None else [weighed.score, weighed.propensity]


def _parse_weighed(given: list[float] | None) -> Weighed | None:
    return None if given is None else Weighed(score=given[0], propensity=given[1])


def _render_choice(chosen: Choice) -> str:
    return json.dumps(
        {
            "campaign": chosen.campaign,
            "revision": chosen.revision,
            "locate_consent": chosen.locate_consent,
            "personalise_consent": chosen.personalise_consent,
            "may_notify": chosen.may_notify,
            "push_refusal": chosen.push_refusal,
            "weighed": _render_weighed(chosen.weighed),
        }
    )


def _parse_choice(text: str) -> Choice:
    given = json.loads(text)
    locate = given["locate_consent"]
    refusal = given.get("push_refusal")  # decisions of before do not say
    return Choice(
        campaign=CampaignId(given["campaign"]),
        revision=given["revision"],
        locate_consent=None if locate is None else ConsentId(locate),
        personalise_consent=ConsentId(given["personalise_consent"]),
        may_notify=given["may_notify"],
        push_refusal=None if refusal is None else PushRefusal(refusal),
        weighed=_parse_weighed(given.get("weighed")),
    )
