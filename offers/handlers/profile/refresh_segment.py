"""Bring shoppers' segments up to date, step by step, as if nobody had ever slept.

Layer: flow. Takes: the time. Gives: how many shoppers were looked at; memberships are written, and
entering or leaving a segment is a moment for campaigns. A purchase only marks its shopper as due,
which costs the till one statement; the sweep does the rest within seconds. It goes through every
instant at which something could change, in their order, so a sweep that was late gives the same
memberships as one that was not.
"""

from typing import Final

from offers.handlers.messages.note_event import note_event
from offers.handlers.offering.on_occasion import on_occasion
from offers.handlers.offering.propose_regular import propose_regular
from offers.loyalty.segment import (
    levels_after,
    next_look_ms,
    segment_of,
)
from offers.model.campaigns.trigger import Movement
from offers.model.ids import ShopperId
from offers.model.loyalty.segment import (
    Membership,
    Segment,
    SegmentChange,
    SegmentLevels,
    SegmentReview,
)
from offers.model.loyalty.segment_settings import DEFAULT_SEGMENTS, SegmentSettings
from offers.model.messages.webhook import WebhookEventKind
from offers.model.offering.occasion import SegmentChanged
from offers.ports import SecretSource, UnitOfWork
from rtls.model.units import SiteId, UnixMs

STEPS_MAX: Final = 1_000
"""of one shopper a call; more are taken by the next one"""


def mark_segment_due(
    shopper: ShopperId,
    site: SiteId,
    *,
    work: UnitOfWork,
    now_ms: UnixMs,
    settings: SegmentSettings | None = None,
) -> None:
    """Have the sweep look at a shopper who has just bought or returned something."""
    newest = work.segments.newest_levels(site)
    if newest is None:
        first_minor = (settings or segment_settings_of(site, work=work)).high_value_minor
        newest = SegmentLevels(number=1, site=site, at_ms=now_ms, high_value_minor=first_minor)
        work.segments.add_levels(newest)
    work.segments.mark_due(
        SegmentReview(shopper=shopper, site=site, levels_seen=newest.number, due_at_ms=now_ms)
    )


def refresh_segments(
    *,
    work: UnitOfWork,
    now_ms: UnixMs,
    secrets: SecretSource,
    limit: int,
    settings: SegmentSettings | None = None,
) -> int:
    """Look at those whose time has come, after setting new levels where a day has passed.

    Parameters
    ----------
    work, now_ms, secrets
        The transaction, the time, the source of randomness.
    limit
        How many shoppers to look at, at most.
    settings
        Where segments part; None: where the programme of each site says.

    Returns
    -------
    int
        How many shoppers were looked at.
    """
    known = {
        site: settings or segment_settings_of(site, work=work) for site in work.segments.sites()
    }
    for site, part in known.items():
        _look_at_levels(site, work=work, now_ms=now_ms, settings=part)
    due = work.segments.due(now_ms=now_ms, limit=limit)
    for review in due:
        part = known[review.site]  # whoever is to be looked at has levels
        change, has_bought = _catch_up(review, work=work, now_ms=now_ms, settings=part)
        if change is not None:
            _tell(change, work=work, secrets=secrets)
        if has_bought:
            propose_regular(review.shopper, review.site, work=work, now_ms=now_ms, secrets=secrets)
    return len(due)


def segment_settings_of(site: SiteId, *, work: UnitOfWork) -> SegmentSettings:
    """Return where the site's programme lets segments part."""
    programme = work.programmes.current(site)
    return DEFAULT_SEGMENTS if programme is None else programme.settings.segments


def renew_levels(
    site: SiteId,
    before: SegmentSettings,
    after: SegmentSettings,
    *,
    work: UnitOfWork,
    now_ms: UnixMs,
) -> None:
    """Have everybody of the site looked at again, since segments part elsewhere from now on.

    A level that follows from the site's buyers stays; one that was set is set anew.
    """
    newest = work.segments.newest_levels(site)
    if newest is None or before == after:
        return
    is_set = newest.high_value_minor == before.high_value_minor
    work.segments.add_levels(
        SegmentLevels(
            number=newest.number + 1,
            site=site,
            at_ms=max(now_ms, newest.at_ms),
            high_value_minor=after.high_value_minor if is_set else newest.high_value_minor,
        )
    )


def _look_at_levels(
    site: SiteId, *, work: UnitOfWork, now_ms: UnixMs, settings: SegmentSettings
) -> None:
    if not work.segments.take_look(site, now_ms=now_ms, after_ms=settings.levels_every_ms):
        return
    levels = work.segments.newest_levels(site)
    assert levels is not None
    spend = work.segments.spend_at_share(
        site,
        currency=settings.currency,
        percent=settings.high_value_percent,
        buyers_min=settings.buyers_min,
        as_of_ms=now_ms,
    )
    moved = levels_after(levels, spend, now_ms=now_ms, settings=settings)
    if moved is not None:
        work.segments.add_levels(moved)


def _catch_up(
    review: SegmentReview, *, work: UnitOfWork, now_ms: UnixMs, settings: SegmentSettings
) -> tuple[SegmentChange | None, bool]:
    """Step through what is due; return what came of it, and whether a purchase was among it."""
    shopper, site = review.shopper, review.site
    seen, due_ms = review.levels_seen, review.due_at_ms
    levels = work.segments.levels(site, seen)
    assert levels is not None
    current = work.memberships.current(shopper, site)
    first = None if current is None else current.segment
    segment, has_bought = first, False
    for _ in range(STEPS_MAX):
        following = work.segments.levels(site, seen + 1)
        instants = [due_ms] if following is None else [due_ms, following.at_ms]
        at_ms = min((at for at in instants if at is not None and at <= now_ms), default=None)
        if at_ms is None:
            break
        if following is not None and following.at_ms <= at_ms:
            levels, seen = following, following.number
        history = work.segments.purchases_of(
            shopper, site, currency=settings.currency, as_of_ms=at_ms
        )
        after = segment_of(
            history, before=segment, levels=levels, as_of_ms=at_ms, settings=settings
        )
        if after is not segment:
            _move(shopper, site, after, work=work, at_ms=at_ms)
        segment, has_bought = after, has_bought or history.last_at_ms == at_ms
        due_ms = next_look_ms(history, as_of_ms=at_ms, settings=settings)
    work.segments.put_review(
        SegmentReview(shopper=shopper, site=site, levels_seen=seen, due_at_ms=due_ms)
    )
    if segment is first:
        return None, has_bought
    change = SegmentChange(shopper=shopper, site=site, left=first, entered=segment, at_ms=now_ms)
    return change, has_bought


def _move(
    shopper: ShopperId, site: SiteId, after: Segment | None, *, work: UnitOfWork, at_ms: UnixMs
) -> None:
    current = work.memberships.current(shopper, site)
    if current is not None:
        # A clock that was set back must not end a stay before it began.
        work.memberships.leave(current, at_ms=max(at_ms, current.entered_at_ms))
    if after is not None:
        is_entered = work.memberships.enter(
            Membership(
                shopper=shopper,
                site=site,
                segment=after,
                entered_at_ms=at_ms,
            )
        )
        assert is_entered  # the one before has just been ended, in this transaction


def _tell(change: SegmentChange, *, work: UnitOfWork, secrets: SecretSource) -> None:
    """Wake the campaigns that wait for it; of a long sleep the outcome is told, not each step."""
    named = {"left": change.left, "entered": change.entered}
    note_event(
        WebhookEventKind.SEGMENT_CHANGED,
        subject=change.shopper,
        shopper=change.shopper,
        site=change.site,
        detail={key: segment.value for key, segment in named.items() if segment is not None},
        work=work,
        now_ms=change.at_ms,
    )
    for movement, segment in ((Movement.LEFT, change.left), (Movement.ENTERED, change.entered)):
        if segment is not None:
            on_occasion(
                SegmentChanged(
                    segment=segment,
                    movement=movement,
                    change=f"{segment.value}:{movement.value}:{change.at_ms}",
                ),
                shopper=change.shopper,
                site=change.site,
                work=work,
                now_ms=change.at_ms,
                secrets=secrets,
            )
