"""Ask the campaigns that propose a subscription about what a shopper buys regularly.

Layer: flow. Takes: a shopper who has just bought, from refresh_segment. Gives: nothing; the
campaigns have been asked. The profile is only read where such a campaign waits.
"""

from typing import Final

from offers.handlers.offering.on_occasion import on_occasion
from offers.loyalty.regularity import regular_categories
from offers.model.campaigns.trigger import TriggerKind
from offers.model.conditions.fact import FACT_DAYS_MAX, FactKind
from offers.model.conditions.shopper_facts import FactNeeds
from offers.model.ids import ShopperId
from offers.model.offering.occasion import BoughtRegularly
from offers.ports import SecretSource, UnitOfWork
from rtls.model.units import SiteId, UnixMs

NEEDS: Final = FactNeeds(days={FactKind.PURCHASE_LINE: FACT_DAYS_MAX})


def propose_regular(
    shopper: ShopperId,
    site: SiteId,
    *,
    work: UnitOfWork,
    now_ms: UnixMs,
    secrets: SecretSource,
) -> None:
    """Decide about each category that the shopper buys regularly at the site, once each."""
    if not work.campaigns.waiting_for(site, TriggerKind.REGULAR_PURCHASE, zone=None):
        return
    facts = work.facts.of_shopper(shopper, NEEDS, site=site, as_of_ms=now_ms)
    lines = () if facts is None else facts.past.get(FactKind.PURCHASE_LINE, ())
    here = [line for line in lines if line.site == site]
    for category in regular_categories(here, now_ms=now_ms):
        on_occasion(
            BoughtRegularly(category=category),
            shopper=shopper,
            site=site,
            work=work,
            now_ms=now_ms,
            secrets=secrets,
        )
