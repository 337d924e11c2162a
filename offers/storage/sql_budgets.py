"""Keep budgets in SQL.

Layer: edges. Takes: a connection inside a transaction. Gives: `offers.ports.Budgets`. A budget is
two counters in one row; each step is one conditional UPDATE, and a CHECK stands behind it. The row
of a site's shared budget is hot: all tills write it, so nothing is read before it is written, and
the row is written once in a step.
"""

from collections import Counter
from collections.abc import Sequence

import sqlalchemy as sa

from offers.model.campaigns.budget import (
    BudgetKey,
    BudgetLimit,
    BudgetPer,
    BudgetStage,
    BudgetState,
    Charge,
)
from offers.model.ids import CampaignId, CouponId, RedemptionId, ShopperId
from offers.storage.budget_rows import fresh_row, state_of_row
from offers.storage.insert_once import insert_once
from offers.storage.tables import BUDGET_HOLDS, BUDGET_USES, BUDGETS
from rtls.model.units import SiteId

_B = BUDGETS.c
_H = BUDGET_HOLDS.c
_U = BUDGET_USES.c
_N = sa.bindparam("n", type_=sa.BigInteger)
_OWN = sa.bindparam("own", type_=sa.BigInteger)
_CAP = sa.bindparam("most", type_=sa.BigInteger)
_IS_BUDGET = _B.budget_id == sa.bindparam("budget")
# The cap of the newest wording is written with each step: a counter that is made when it is first
# needed would otherwise keep the cap of that day.
_HAS_ROOM = sa.or_(_CAP.is_(None), _B.held + _B.used - _OWN + _N <= _CAP)
_RESERVE = (
    sa.update(BUDGETS).where(_IS_BUDGET, _HAS_ROOM).values(cap=_CAP, held=_B.held - _OWN + _N)
)
_USE = (
    sa.update(BUDGETS)
    .where(_IS_BUDGET, _HAS_ROOM)
    .values(cap=_CAP, held=_B.held - _OWN, used=_B.used + _N)
)
# What was set aside is good whatever the cap has become since.
_USE_HELD = sa.update(BUDGETS).where(_IS_BUDGET).values(held=_B.held - _OWN, used=_B.used + _N)
_OVERDRAW = (
    sa.update(BUDGETS).where(_IS_BUDGET).values(held=_B.held - _OWN, overdrawn=_B.overdrawn + _N)
)
_RELEASE = sa.update(BUDGETS).where(_IS_BUDGET).values(held=_B.held - _N)
_GIVE_BACK = sa.update(BUDGETS).where(_IS_BUDGET).values(used=_B.used - _N)
_GIVE_BACK_OVER = sa.update(BUDGETS).where(_IS_BUDGET).values(overdrawn=_B.overdrawn - _N)
_SET_CAP = (
    sa.update(BUDGETS)
    .where(_IS_BUDGET, sa.or_(_CAP.is_(None), _B.held + _B.used <= _CAP))
    .values(cap=_CAP)
)
_OF_COUPON = _H.coupon_id == sa.bindparam("coupon")
_HOLDS = sa.select(_H.budget_id, _H.stage, _H.amount).where(_OF_COUPON)
_DROP_HOLDS = sa.delete(BUDGET_HOLDS).where(_OF_COUPON)
_DROP_STAGE = _DROP_HOLDS.where(_H.stage == sa.bindparam("at_stage"))
_HOLD_MORE = (
    sa.update(BUDGET_HOLDS)
    .where(
        _OF_COUPON,
        _H.budget_id == sa.bindparam("budget"),
        _H.stage == sa.bindparam("at_stage"),
    )
    .values(amount=_H.amount + _N)
)
_OF_REDEMPTION = _U.redemption_id == sa.bindparam("redemption")
_USES = sa.select(_U.budget_id, _U.amount, _U.is_overdrawn).where(_OF_REDEMPTION)
_ADD_USE = sa.insert(BUDGET_USES)
_DROP_USES = sa.delete(BUDGET_USES).where(_OF_REDEMPTION)
_FIND = sa.select(BUDGETS).where(_IS_BUDGET)
_SPENT = sa.select(_B.campaign_id).where(
    _B.site == sa.bindparam("site"),
    _B.cap.is_not(None),
    _B.held + _B.used >= _B.cap,
    sa.or_(_B.shopper_id.is_(None), _B.shopper_id == sa.bindparam("shopper")),
    sa.or_(_B.day.is_(None), _B.day == sa.bindparam("on_day")),
)
_OF_CAMPAIGN = (
    sa.select(BUDGETS)
    .where(_B.campaign_id == sa.bindparam("campaign"), _B.shopper_id.is_(None))
    .order_by(sa.func.coalesce(_B.day, "9999").desc(), _B.unit)
    .limit(sa.bindparam("count", type_=sa.Integer))
)
_OLD = (
    sa.select(_B.budget_id)
    .where(_B.day < sa.bindparam("before"), _B.held == 0)
    .limit(sa.bindparam("count", type_=sa.Integer))
)
_FORGET_USES = sa.delete(BUDGET_USES).where(
    _U.budget_id.in_(sa.bindparam("budgets", expanding=True))
)
_FORGET = sa.delete(BUDGETS).where(_B.budget_id.in_(sa.bindparam("budgets", expanding=True)))


class SqlBudgets:
    """Counters of budgets, what coupons hold of them, and what redemptions used."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection
        self._insert = insert_once(BUDGETS, connection.dialect.name)
        self._insert_hold = insert_once(BUDGET_HOLDS, connection.dialect.name)

    def has_room(self, charges: Sequence[Charge], *, coupon: CouponId | None = None) -> bool:
        """Say whether the charges would fit now, with what ``coupon`` holds of them already."""
        capped = [charge for charge in charges if charge.cap is not None]
        own = self._held(coupon) if capped and coupon is not None else Counter[str]()
        return all(self._fits(charge, own=own[charge.key.budget]) for charge in capped)

    def _fits(self, charge: Charge, *, own: int) -> bool:
        needed = charge.amount - own
        if charge.cap is None or needed <= 0:
            return True
        state = self.state_of(charge.key)
        return needed + (0 if state is None else state.held + state.used) <= charge.cap

    def reserve(self, coupon: CouponId, stage: BudgetStage, charges: Sequence[Charge]) -> bool:
        """Set aside what the coupon does not hold yet; False where a cap stands against it."""
        own = self._held(coupon)
        for charge in charges:
            needed = charge.amount - own[charge.key.budget]
            if needed <= 0:
                continue
            if not self._step(_RESERVE, charge, own=0, n=needed):
                return False
            self._note_hold(coupon, stage, charge, needed)
        return True

    def release(self, coupon: CouponId, stage: BudgetStage | None = None) -> None:
        """Give back what the coupon holds, of one stage or of all."""
        held = [
            row
            for row in self._connection.execute(_HOLDS, {"coupon": coupon}).all()
            if stage is None or row.stage == stage.value
        ]
        if not held:
            return
        if stage is None:
            self._connection.execute(_DROP_HOLDS, {"coupon": coupon})
        else:
            self._connection.execute(_DROP_STAGE, {"coupon": coupon, "at_stage": stage.value})
        self._connection.execute(
            _RELEASE, [{"budget": row.budget_id, "n": row.amount} for row in held]
        )

    def use(self, coupon: CouponId, redemption: RedemptionId, charges: Sequence[Charge]) -> bool:
        """Count the charges as used, out of what the coupon holds; give back the rest of it."""
        return self._use(coupon, redemption, charges, may_overdraw=False) is not None

    def use_over(
        self, coupon: CouponId, redemption: RedemptionId, charges: Sequence[Charge]
    ) -> tuple[BudgetKey, ...]:
        """Count the charges although a cap may stand against it; return the budgets overdrawn."""
        overdrawn = self._use(coupon, redemption, charges, may_overdraw=True)
        assert overdrawn is not None
        return overdrawn

    def count(self, charge: Charge) -> bool:
        """Count a charge as used, without noting for what; False where a cap stands against it."""
        return self._step(_USE, charge, own=0, n=charge.amount)

    def count_back(self, key: BudgetKey, amount: int) -> None:
        """Take back a part of what `count` has counted."""
        self._connection.execute(_GIVE_BACK, {"budget": key.budget, "n": amount})

    def give_back(self, redemption: RedemptionId) -> None:
        """Take back what a redemption used; a second time there is nothing to take back."""
        rows = self._connection.execute(_USES, {"redemption": redemption}).all()
        self._connection.execute(_DROP_USES, {"redemption": redemption})
        for row in rows:
            step = _GIVE_BACK_OVER if row.is_overdrawn else _GIVE_BACK
            self._connection.execute(step, {"budget": row.budget_id, "n": row.amount})

    def state_of(self, key: BudgetKey) -> BudgetState | None:
        """Return where the counter stands, None where nothing was ever counted."""
        row = self._connection.execute(_FIND, {"budget": key.budget}).one_or_none()
        return None if row is None else state_of_row(row)

    def set_cap(self, key: BudgetKey, cap: int | None) -> bool:
        """Change a cap; False where more is held and used already."""
        self._connection.execute(self._insert, fresh_row(key, cap))
        given = {"budget": key.budget, "most": cap}
        return self._connection.execute(_SET_CAP, given).rowcount == 1

    def set_limits(
        self, site: SiteId, campaign: CampaignId | None, limits: Sequence[BudgetLimit]
    ) -> bool:
        """Change the caps of all counters of a campaign, or of those that a site shares."""
        is_one = _B.campaign_id.is_(None) if campaign is None else _B.campaign_id == campaign
        mine = sa.update(BUDGETS).where(_B.site == site, is_one)
        self._connection.execute(mine.values(cap=None))
        for limit in limits:
            if not limit.per:
                key = BudgetKey(site=site, campaign=campaign, unit=limit.unit)
                if not self.set_cap(key, limit.cap):
                    return False
                continue
            # A counter above a new and lower cap has none: its next step is refused by the cap.
            step = mine.where(
                _B.unit == limit.unit,
                _B.shopper_id.is_not(None) == (BudgetPer.SHOPPER in limit.per),
                _B.day.is_not(None) == (BudgetPer.DAY in limit.per),
                _B.held + _B.used <= limit.cap,
            )
            self._connection.execute(step.values(cap=limit.cap))
        return True

    def spent(self, site: SiteId, *, shopper: ShopperId, day: str) -> frozenset[CampaignId | None]:
        """Return the campaigns with nothing left for the shopper that day; None: the whole site."""
        given = {"site": site, "shopper": shopper, "on_day": day}
        found = self._connection.execute(_SPENT, given).scalars()
        return frozenset(None if name is None else CampaignId(name) for name in found)

    def of_campaign(self, campaign: CampaignId, *, limit: int) -> tuple[BudgetState, ...]:
        """Return the counters of a campaign that are no single shopper's, newest day first."""
        rows = self._connection.execute(_OF_CAMPAIGN, {"campaign": campaign, "count": limit})
        return tuple(state_of_row(row) for row in rows)

    def forget_days_before(self, day: str, *, limit: int) -> int:
        """Delete counters of days before ``day`` that nothing holds; return how many."""
        old = self._connection.execute(_OLD, {"before": day, "count": limit}).scalars().all()
        if old:
            self._connection.execute(_FORGET_USES, {"budgets": old})
            self._connection.execute(_FORGET, {"budgets": old})
        return len(old)

    def _held(self, coupon: CouponId) -> Counter[str]:
        held: Counter[str] = Counter()
        for row in self._connection.execute(_HOLDS, {"coupon": coupon}):
            held[row.budget_id] += row.amount
        return held

    def _note_hold(self, coupon: CouponId, stage: BudgetStage, charge: Charge, amount: int) -> None:
        row = {
            "coupon_id": coupon,
            "budget_id": charge.key.budget,
            "stage": stage.value,
            "amount": amount,
        }
        if self._connection.execute(self._insert_hold, row).rowcount == 0:
            given = {
                "coupon": coupon,
                "budget": charge.key.budget,
                "at_stage": stage.value,
                "n": amount,
            }
            self._connection.execute(_HOLD_MORE, given)

    def _use(
        self,
        coupon: CouponId,
        redemption: RedemptionId,
        charges: Sequence[Charge],
        *,
        may_overdraw: bool,
    ) -> tuple[BudgetKey, ...] | None:
        held = self._held(coupon)
        if held:
            self._connection.execute(_DROP_HOLDS, {"coupon": coupon})
        overdrawn: list[BudgetKey] = []
        for charge in charges:
            own = held.pop(charge.key.budget, 0)
            if self._count(charge, redemption, own=own, step=_USE):
                continue
            if not may_overdraw:
                return None
            self._count(charge, redemption, own=own, step=_OVERDRAW)
            overdrawn.append(charge.key)
        for budget, amount in held.items():
            self._connection.execute(_RELEASE, {"budget": budget, "n": amount})
        return tuple(overdrawn)

    def _count(
        self, charge: Charge, redemption: RedemptionId, *, own: int, step: sa.Update
    ) -> bool:
        """Count one charge, of which ``own`` is set aside, and note what was used."""
        is_held = charge.amount <= own
        if not self._step(_USE_HELD if is_held else step, charge, own=own, n=charge.amount):
            return False
        if charge.amount:
            row = {
                "redemption_id": redemption,
                "budget_id": charge.key.budget,
                "amount": charge.amount,
                "is_overdrawn": step is _OVERDRAW,
            }
            self._connection.execute(_ADD_USE, row)
        return True

    def _step(self, step: sa.Update, charge: Charge, *, own: int, n: int) -> bool:
        """Carry out a step; a counter that does not exist yet is made and asked once more."""
        given: dict[str, object] = {
            "budget": charge.key.budget,
            "most": charge.cap,
            "own": own,
            "n": n,
        }
        if self._connection.execute(step, given).rowcount == 1:
            return True
        made = self._connection.execute(self._insert, fresh_row(charge.key, charge.cap))
        return made.rowcount == 1 and self._connection.execute(step, given).rowcount == 1
