"""Whatever a decision stood on, it comes out the same again from the row that was written."""

from dataclasses import replace
from types import SimpleNamespace

from hypothesis import given, settings
from hypothesis import strategies as st

from offers.decision.decide import decide
from offers.decision.push_choice import with_foreseen_push
from offers.decision.replay import replay
from offers.model.campaigns.campaign import CampaignRevision, FrequencyCap
from offers.model.conditions.condition_json import parse_condition
from offers.model.experiments.experiment import Holdout
from offers.model.ids import DecisionId
from offers.model.messages.contact import Frequency
from offers.model.offering.decision import Candidate
from offers.model.offering.decision_ground import PushGround
from offers.model.people.consent import Purpose
from offers.model.ranking.ranking_policy import RankingPolicy
from offers.model.visits.site_rules import SiteRules
from offers.storage.decision_rows import decision_of, decision_row
from rtls.model.units import Second, UnixMs
from tests.unit.offers.shop import START_MS, campaign
from tests.unit.offers.test_decide import MOMENT, STAY, consents
from tests.unit.offers.test_live_experiments import COFFEE, part

EXPERIMENTS = {COFFEE.experiment: COFFEE}
UNMET = parse_condition({"kind": "locale", "in": ["en"]}, "conditions")
INSTANTS = st.integers(START_MS - 10**9, START_MS).map(UnixMs)


@st.composite
def revisions(draw: st.DrawFn) -> list[CampaignRevision]:
    names = draw(st.lists(st.sampled_from("abcdefgh"), min_size=1, max_size=8, unique=True))
    return [
        replace(
            campaign(f"campaign-{name}", cap=FrequencyCap(), priority=draw(st.integers(0, 2))),
            part=draw(st.sampled_from([None, part("none"), part("five"), part("five", "ten")])),
            conditions=draw(st.sampled_from([None, None, UNMET])),
        )
        for name in names
    ]


@st.composite
def candidates(draw: st.DrawFn) -> list[Candidate]:
    return [
        Candidate(
            revision=revision,
            cap_taken_at_ms=tuple(draw(st.lists(INSTANTS, max_size=2))),
            is_offered=draw(st.booleans()) and draw(st.booleans()),
            dismissed_at_ms=draw(st.none() | INSTANTS),
            has_budget=draw(st.booleans()) or draw(st.booleans()),
        )
        for revision in draw(revisions())
    ]


RULES = st.builds(
    SiteRules,
    offers_a_trip_max=st.integers(1, 3),
    ranking=st.sampled_from([None, RankingPolicy(), RankingPolicy(chance_left=0.5)]),
    holdout=st.sampled_from([None, Holdout(salt="0b5d7e3c", per_mille=500)]),
    programme=st.sampled_from([None, 7]),
)
MOMENTS = st.builds(
    lambda shopper, is_late, dwell_s: replace(
        MOMENT,
        shopper=f"{shopper:032x}",
        occasion=replace(STAY, is_late=is_late, dwell_s=Second(dwell_s)),
    ),
    st.integers(0, 10**6),
    st.sampled_from([False, False, True]),
    st.sampled_from([300.0, 300.0, 120.0]),
)
PUSHES = st.builds(
    PushGround,
    wants_push=st.booleans(),
    frequency=st.sampled_from(Frequency),
    last_pushed_at_ms=st.none() | INSTANTS,
)


@settings(max_examples=150)
@given(
    moment=MOMENTS,
    weighed=candidates(),
    granted=st.sets(st.sampled_from(Purpose)) | st.just(set(Purpose)),
    rules=RULES,
    push=PUSHES,
    in_trip=st.integers(0, 3),
    is_suspended=st.sampled_from([False, False, True]),
    seed=st.integers(0, 2**64),
)
def test_a_row_of_the_log_comes_out_the_same_again(
    moment, weighed, granted, rules, push, in_trip, is_suspended, seed
) -> None:
    """Bit for bit, through the text that is stored, and each campaign is named exactly once."""
    decision = decide(
        moment,
        decision=DecisionId(f"{seed:032x}"),
        consents=consents(*sorted(granted)),
        candidates=weighed,
        offers_in_trip=in_trip,
        rules=rules,
        is_suspended=is_suspended,
        experiments=EXPERIMENTS,
    )
    if decision.chosen is not None:
        decision = with_foreseen_push(decision, push, rules)
    logged = decision_of(SimpleNamespace(**decision_row(decision)))
    assert logged == decision
    again = replay(
        logged,
        revisions={one.revision.campaign: one.revision for one in weighed},
        experiments=EXPERIMENTS,
        rules=rules,
    )
    assert again.differs_in == ()
    assert again.decision == logged
    chosen = [] if decision.chosen is None else [decision.chosen.campaign]
    named = [*chosen, *(entry.campaign for entry in decision.passed_over)]
    assert sorted(named) == sorted(one.revision.campaign for one in weighed)
