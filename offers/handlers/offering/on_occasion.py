"""Turn what happens to a shopper outside zones into at most one offer.

Layer: flow. Takes: an `Occasion` from enrolment, purchases, segments, surveys, the daily round or
the staff. Gives: the `Decision`, where a campaign waited for it. Call it in the transaction of the
thing itself. Each occasion is decided about once: noting it again does nothing.
"""

from offers.handlers.offering.decide_moment import decide_moment
from offers.model.ids import ShopperId
from offers.model.offering.decision import Decision
from offers.model.offering.occasion import Occasion, moment_of
from offers.ports import SecretSource, UnitOfWork
from rtls.model.units import SiteId, UnixMs


def on_occasion(
    occasion: Occasion,
    *,
    shopper: ShopperId,
    site: SiteId,
    work: UnitOfWork,
    now_ms: UnixMs,
    secrets: SecretSource,
) -> Decision | None:
    """Decide about the occasion, if a campaign of the site waits for its kind.

    Parameters
    ----------
    occasion
        What has happened.
    shopper, site
        To whom, and whose campaigns are asked.
    work, now_ms, secrets
        The transaction, the time, the source of randomness.

    Returns
    -------
    Decision or None
        None where no campaign waits, or the occasion was decided about before.
    """
    moment = moment_of(occasion, shopper=shopper, site=site, now_ms=now_ms)
    is_awaited = bool(work.campaigns.waiting_for(site, moment.kind, zone=None))
    if not is_awaited or work.decisions.is_decided(moment.event_id):
        return None
    return decide_moment(moment, work=work, secrets=secrets, is_always_logged=False)
