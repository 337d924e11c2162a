"""Segments as a machine: whatever shoppers buy and however late the sweep, the outcome is one."""

import itertools
from dataclasses import replace

import hypothesis.strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from offers.handlers.profile.note_fact import note_facts
from offers.handlers.profile.refresh_segment import mark_segment_due, refresh_segments
from offers.model.conditions.fact import DAY_MS, Fact, FactKind
from offers.model.ids import ShopperId
from offers.model.loyalty.segment_settings import DEFAULT_SEGMENTS
from offers.model.money import Money
from offers.model.people.consent import Purpose
from rtls.model.units import UnixMs
from tests.property.machine_size import machine_settings
from tests.reference.segment import Bought, segment_at
from tests.unit.offers.shop import SITE, START_MS, Shop, memory_engine, scratch_work

# A level among few buyers, so that it moves in a machine of a few steps.
RULES = replace(DEFAULT_SEGMENTS, buyers_min=3, high_value_minor=10_000)
SHOPPERS = 4


class Segments(RuleBasedStateMachine):
    """Four shoppers who buy, return and stay away, against a replay of all they ever did."""

    def __init__(self) -> None:
        super().__init__()
        self._engine_context = memory_engine()
        self._work_context = scratch_work(self._engine_context.__enter__())
        self.shop = Shop(self._work_context.__enter__())
        self.work = self.shop.work
        self.now_ms = START_MS
        self.count = 0
        self.shoppers = [self.shop.shopper(tag=None) for _ in range(SHOPPERS)]
        self.bought: dict[ShopperId, list[Bought]] = {shopper: [] for shopper in self.shoppers}
        self.swept_at_ms = START_MS

    def teardown(self) -> None:
        self._work_context.__exit__(None, None, None)
        self._engine_context.__exit__(None, None, None)

    @rule(who=st.integers(0, SHOPPERS - 1), euro=st.integers(0, 120), is_return=st.booleans())
    def somebody_buys_or_returns(self, who: int, euro: int, *, is_return: bool) -> None:
        self.now_ms += 1
        self.count += 1
        shopper = self.shoppers[who]
        kind = FactKind.RETURN if is_return and self.bought[shopper] else FactKind.PURCHASE
        if kind is FactKind.RETURN:
            euro = max(euro, 1)  # the replay knows a return by its sign, and nothing has none
        fact = Fact(
            kind=kind,
            reference=f"fact-{self.count}",
            at_ms=UnixMs(self.now_ms),
            site=SITE,
            amount=Money(amount_minor=euro * 100, currency="EUR"),
        )
        for _ in range(2):  # a till that repeats itself
            if note_facts(shopper, [fact], work=self.work, now_ms=UnixMs(self.now_ms)):
                mark_segment_due(
                    shopper, SITE, work=self.work, now_ms=UnixMs(self.now_ms), settings=RULES
                )
        amount = -euro * 100 if kind is FactKind.RETURN else euro * 100
        self.bought[shopper].append(Bought(self.now_ms, amount))

    @rule(days=st.sampled_from([1, 20, 30, 59, 60, 61, 89, 90, 91, 200, 364, 365, 400]))
    def time_passes_without_a_sweep(self, days: int) -> None:
        # Nothing is forgotten here: what the year leaves out, it leaves out by itself.
        self.now_ms += days * DAY_MS

    @rule()
    def the_sweep_comes(self) -> None:
        self.now_ms += 1
        while refresh_segments(
            work=self.work,
            now_ms=UnixMs(self.now_ms),
            secrets=self.shop.secrets,
            limit=3,
            settings=RULES,
        ):
            pass
        self.swept_at_ms = self.now_ms

    @rule(who=st.integers(0, SHOPPERS - 1))
    def somebody_withdraws_and_comes_back(self, who: int) -> None:
        self.now_ms += 1
        shopper = self.shoppers[who]
        for is_granted in (False, True):
            self.shop.say(shopper, Purpose.PERSONALISE, is_granted=is_granted, now_ms=self.now_ms)
        self.bought[shopper] = []

    @invariant()
    def memberships_are_what_a_replay_from_scratch_gives(self) -> None:
        if self.swept_at_ms != self.now_ms:
            return
        levels = self._levels()
        for shopper, bought in self.bought.items():
            current = self.work.memberships.current(shopper, SITE)
            expected = segment_at(bought, levels, now_ms=self.now_ms) if bought else None
            assert (None if current is None else current.segment.value) == expected

    @invariant()
    def the_level_is_what_most_buyers_do_not_exceed(self) -> None:
        since_ms = self.now_ms - 365 * DAY_MS
        years = [[b for b in bought if b.at_ms > since_ms] for bought in self.bought.values()]
        spends = sorted(
            sum(b.amount_minor for b in year)
            for year in years
            if any(b.amount_minor >= 0 for b in year)
        )
        found = self.work.segments.spend_at_share(
            SITE, currency="EUR", percent=80, buyers_min=1, as_of_ms=UnixMs(self.now_ms)
        )
        # The least of the spends that 80 % of the buyers do not exceed.
        enough = [s for s in spends if sum(x <= s for x in spends) * 100 >= 80 * len(spends)]
        assert found == (enough[0] if enough else None)

    @invariant()
    def nobody_is_in_two_segments(self) -> None:
        for shopper in self.shoppers:
            stays = self.work.memberships.history_of(shopper)
            assert sum(stay.left_at_ms is None for stay in stays) <= 1
            for one, next_one in itertools.pairwise(stays):
                assert one.left_at_ms is not None
                assert one.left_at_ms <= next_one.entered_at_ms
                assert one.segment != next_one.segment or one.left_at_ms < next_one.entered_at_ms

    def _levels(self) -> list[tuple[int, int]]:
        found = []
        while (levels := self.work.segments.levels(SITE, len(found) + 1)) is not None:
            found.append((levels.at_ms, levels.high_value_minor))
        return found


TestSegments = Segments.TestCase
TestSegments.settings = machine_settings()
