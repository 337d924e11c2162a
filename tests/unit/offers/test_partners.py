"""fund_costs, settle_partner: partners bear their share to the cent, and are asked for it."""

import json
from dataclasses import replace
from datetime import date

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from offers.api.campaigns.partner_schema import SettlementBody, render_csv
from offers.checkout.funding import cost_shares, returned_worth, worth_of_lines
from offers.decision.terms import terms_of
from offers.handlers.campaigns.settle_partner import correct_settlement, settle_partner
from offers.handlers.loyalty.earn_for_offer import earn_for_offer
from offers.handlers.loyalty.start_programme import start_programme
from offers.handlers.offering.open_offer import open_offer
from offers.handlers.people.erase_shopper import erase_shopper
from offers.handlers.till.price_basket import price_basket
from offers.handlers.till.redeem_coupon import redeem_coupon
from offers.model.audit import SYSTEM, AuditAction
from offers.model.campaigns.benefit import (
    Benefit,
    Cashback,
    Information,
    PercentOff,
    Points,
    PointsMultiplier,
)
from offers.model.campaigns.budget import BudgetKey
from offers.model.campaigns.campaign import CampaignRevision, FrequencyCap
from offers.model.campaigns.campaign_json import parse_campaign, render_campaign
from offers.model.campaigns.funding import Funding, PartnerId, PartnerShare
from offers.model.campaigns.settlement import (
    CorrectionLine,
    Period,
    Settlement,
    SettlementKind,
    SettlementRefusal,
)
from offers.model.campaigns.stacking import StackingClass
from offers.model.errors import InvalidCampaign, InvalidLedger, NotFound
from offers.model.ids import TransactionId
from offers.model.json_members import object_of
from offers.model.loyalty.funding_entry import (
    Funded,
    FundingEntry,
    FundingKind,
    FundingReason,
    postings_of,
)
from offers.model.loyalty.ledger import AccountKind, LedgerUnit, Posting
from offers.model.money import Money
from offers.model.offering.refusal import CheckoutRefusal
from offers.model.people.shopper import Locale
from offers.model.till.basket import Basket, BasketLine
from offers.model.till.held_basket import BasketRequest, PricedBasket
from offers.model.till.redemption import CheckoutRequest, Redemption
from rtls.model.units import SiteId, UnixMs
from tests.unit.offers.shop import SITE, START_MS, TILL, TWO_EURO, Shop, asked, campaign, checkout
from tests.unit.offers.test_campaign_terms import BERLIN
from tests.unit.offers.test_points_at_the_till import PROGRAMME
from tests.unit.offers.till import NOON_MS, Till

FISCHER, BOSCH = PartnerId("fischer"), PartnerId("bosch")
CAMPAIGN = campaign().campaign
# 14 November 2023 in Berlin: all of these tests play on it.
TODAY = Period(from_day=date(2023, 11, 14), until_day=date(2023, 11, 15))
DAY_MS = 86_400_000


def pays(partner: PartnerId, share_bp: int, most_minor: int = 10_000) -> PartnerShare:
    most = Money(amount_minor=most_minor, currency="EUR")
    return PartnerShare(partner=partner, name=partner.title(), share_bp=share_bp, amount_max=most)


THIRDS = (pays(FISCHER, 3_333), pays(BOSCH, 3_333))


def funded(*partners: PartnerShare, benefit: Benefit = TWO_EURO) -> CampaignRevision:
    revision = campaign(benefit=benefit, cap=FrequencyCap(offers_max=9, window_s=1))
    return replace(revision, funding=Funding(partners=partners or THIRDS))


def redeem(shop: Shop, code: str, *prices: int):
    request = checkout(code, *prices)
    return redeem_coupon(request, work=shop.work, now_ms=NOON_MS, secrets=shop.secrets)


def borne(shop: Shop) -> dict[str, int]:
    """Who bears how much of all campaigns, by the book."""
    account = Funded(site=SITE, campaign=CAMPAIGN, currency=LedgerUnit("EUR"))
    of = {
        "fischer": account.partner(FISCHER),
        "bosch": account.partner(BOSCH),
        "retailer": account.retailer,
        "campaign": account.whole,
    }
    sums = {name: shop.work.partners.balance_minor(one.account) for name, one in of.items()}
    return {name: minor for name, minor in sums.items() if minor}


def settle(shop: Shop, partner: PartnerId = FISCHER, period: Period = TODAY, *, days: int = 1):
    return settle_partner(
        partner,
        period,
        site=SITE,
        by=SYSTEM,
        work=shop.work,
        now_ms=UnixMs(NOON_MS + days * DAY_MS),
    )


def settled(shop: Shop, partner: PartnerId = FISCHER, period: Period = TODAY) -> Settlement:
    made = settle(shop, partner, period)
    assert isinstance(made, Settlement), made
    return made


def test_two_euro_are_borne_in_thirds_to_the_cent(shop: Shop) -> None:
    """3,333 basis points of 200 are 66.66: one of them bears 67, and the sum is 200."""
    shop.start(funded())
    assert isinstance(redeem(shop, shop.code_in_hand()), Redemption)
    assert borne(shop) == {"fischer": 67, "bosch": 66, "retailer": 67, "campaign": -200}


def test_a_return_takes_it_back_in_the_same_proportions(shop: Shop) -> None:
    """Half the goods take half the cost off everybody, the other half the rest."""
    shop.start(funded())
    till = Till(shop)
    paid = till.pay(shop.code_in_hand(), prices_minor=(500, 500))
    till.take_back(paid.purchase, {0: 1})
    assert borne(shop) == {"fischer": 33, "bosch": 33, "retailer": 34, "campaign": -100}
    till.take_back(paid.purchase, {1: 1})
    assert borne(shop) == {}


def test_what_comes_back_after_an_erasure_comes_off_the_partner_too(shop: Shop) -> None:
    """The money of the goods goes back; the partner must not pay for what nobody keeps."""
    shop.start(funded())
    till = Till(shop)
    paid = till.pay(shop.code_in_hand())
    (shopper,) = shop.work.purchases._connection.execute(
        sa.text("SELECT shopper_id FROM shoppers")
    ).scalars()
    erase_shopper(shopper, work=shop.work, now_ms=NOON_MS, secrets=shop.secrets)
    assert borne(shop)["fischer"] == 67
    till.take_back(paid.purchase, {0: 1})
    assert borne(shop) == {}


def test_a_coupon_beyond_the_partners_bound_is_refused(shop: Shop) -> None:
    """What the partner does not pay any more is not given away in its name."""
    shop.start(funded(pays(FISCHER, 5_000, 150)))
    first, second = shop.code_in_hand("tag:1"), shop.code_in_hand("tag:2")
    assert isinstance(redeem(shop, first), Redemption)
    assert redeem(shop, second) is CheckoutRefusal.BUDGET_SPENT
    assert isinstance(redeem(shop, second, 90), Redemption)  # half of 90 is within it
    assert borne(shop)["fischer"] == 145


def test_a_held_basket_keeps_its_part_of_the_bound(shop: Shop) -> None:
    """Two tills at once: the second is told at the quote, not after the shopper has queued."""
    shop.start(funded(pays(FISCHER, 10_000, 300)))
    first, second = shop.code_in_hand("tag:1"), shop.code_in_hand("tag:2")
    till = Till(shop)
    held = till.hold(first)
    priced = price_basket(asked(second), work=shop.work, now_ms=NOON_MS, secrets=shop.secrets)
    assert isinstance(priced, PricedBasket)
    assert [one.reason for one in priced.refused] == [CheckoutRefusal.BUDGET_SPENT]
    till.commit(held)
    key = BudgetKey(site=SITE, campaign=CAMPAIGN, partner=FISCHER, unit="EUR")
    state = shop.work.budgets.state_of(key)
    assert state is not None
    assert (state.held, state.used) == (0, 200)


def test_what_was_promised_before_the_bound_came_down_is_the_retailers(shop: Shop) -> None:
    """The shopper pays what the hold said; the partner not a cent above its bound."""
    shop.start(funded(pays(FISCHER, 10_000, 300)))
    till = Till(shop)
    held = till.hold(shop.code_in_hand())
    with pytest.raises(InvalidCampaign, match="amount_max of fischer is 100, less than it bears"):
        shop.start(funded(pays(FISCHER, 10_000, 100)))
    shop.start(funded(pays(BOSCH, 10_000, 100)))
    till.commit(held)
    assert borne(shop) == {"retailer": 200, "campaign": -200}


@pytest.mark.parametrize(
    ("benefit", "partner_minor", "retailer_minor"),
    [
        (PointsMultiplier(percent=300), 800, 800),  # 10 euro earn 10 points, of which 20 are more
        (Cashback(percent=7), 35, 35),
    ],
)
def test_points_and_cashback_of_a_coupon_cost_what_they_can_pay(
    shop: Shop, benefit: Benefit, partner_minor: int, retailer_minor: int
) -> None:
    """Two more points for each euro, at the programme's worth; the base points are nobody's."""
    programme = replace(
        PROGRAMME,
        terms=(replace(PROGRAMME.terms[0], worth_minor_per_100=8_000), PROGRAMME.terms[1]),
    )
    start_programme(programme, work=shop.work, now_ms=NOON_MS)
    shop.start(funded(pays(FISCHER, 5_000), benefit=benefit))
    till = Till(shop)
    code = shop.code_in_hand()
    (shopper,) = shop.work.purchases._connection.execute(
        sa.text("SELECT shopper_id FROM shoppers")
    ).scalars()
    request = BasketRequest(
        basket=asked(prices_minor=(400, 600)).basket,
        till=TILL,
        site=SITE,
        codes=(code,),
        card=till.scan(shopper),
    )
    paid = till.commit(till.ask(request).held.held).purchase
    assert borne(shop)["fischer"] == partner_minor
    assert borne(shop)["retailer"] == retailer_minor
    till.take_back(paid.purchase, {0: 1})
    left = borne(shop)["fischer"]
    assert abs(left * 10 - partner_minor * 6) < 10  # the line of 6 of 10 euro is still there
    till.take_back(paid.purchase, {1: 1})
    assert borne(shop) == {}


def test_points_of_an_opened_offer_cost_once(shop: Shop) -> None:
    """They need no purchase; opening twice earns once, and costs once."""
    start_programme(PROGRAMME, work=shop.work, now_ms=NOON_MS)
    shop.start(funded(pays(FISCHER, 10_000), benefit=Points(points=50)))
    shopper = shop.shopper(now_ms=START_MS)
    shop.stand(at_ms=NOON_MS)
    card = shop.offer_of(shopper)
    assert card is not None
    shop.deliver(card.offer.offer, now_ms=NOON_MS)
    for _ in range(2):
        opened = open_offer(shopper, card.offer.offer, work=shop.work, now_ms=NOON_MS)
        earn_for_offer(opened, work=shop.work, now_ms=NOON_MS, secrets=shop.secrets)
    assert borne(shop) == {"fischer": 50, "campaign": -50}


def test_a_cost_in_another_currency_is_the_retailers(shop: Shop) -> None:
    """A partner has promised euros: nobody converts here."""
    shop.start(funded(benefit=PercentOff(percent=10)))
    line = BasketLine(sku="a", category="dowels", quantity=1, unit_price_minor=1_000)
    request = CheckoutRequest(
        code=shop.code_in_hand(), basket=Basket(currency="CHF", lines=(line,)), till=TILL, site=SITE
    )
    redeem_coupon(request, work=shop.work, now_ms=NOON_MS, secrets=shop.secrets)
    assert borne(shop) == {}
    account = Funded(site=SITE, campaign=CAMPAIGN, currency=LedgerUnit("CHF")).retailer
    assert shop.work.partners.balance_minor(account.account) == 100


def test_a_settlement_says_what_the_ledger_says(shop: Shop) -> None:
    """67 for a coupon of 2.00, and back with the goods, by campaign; the numbers run on."""
    shop.start(funded())
    till = Till(shop)
    kept, back = shop.code_in_hand("tag:1"), shop.code_in_hand("tag:2")
    till.pay(kept)
    till.take_back(till.pay(back).purchase, {0: 1})
    first = settled(shop)
    assert [(one.campaign, one.charged_minor, one.taken_back_minor) for one in first.lines] == [
        (CAMPAIGN, 134, 67)
    ]
    assert first.totals_minor == {"EUR": borne(shop)["fischer"]}
    assert (first.number, first.kind) == (1, SettlementKind.PERIOD)
    assert settled(shop, BOSCH).number == 1
    assert settle(shop) is SettlementRefusal.NOTHING_NEW
    assert shop.work.partners.settlements(SITE, FISCHER, after=0, limit=9) == (first,)
    (audited,) = [
        entry
        for entry in shop.work.audit.page(after=0, limit=99)
        if entry.action == AuditAction.PARTNER_SETTLED and "fischer" in entry.subject
    ]
    assert audited.subject == "demo/fischer/1"


def test_what_was_posted_late_comes_with_a_document_of_its_own(shop: Shop) -> None:
    """A clock that was set back must not cost a partner, or spare it, a cent."""
    shop.start(funded())
    till = Till(shop)
    till.pay(shop.code_in_hand("tag:1"))
    first = settled(shop)
    till.pay(shop.code_in_hand("tag:2"))  # on the day that is settled already
    late = settled(shop)
    assert (late.number, late.kind, late.corrects) == (2, SettlementKind.SUPPLEMENT, 1)
    assert late.totals_minor == {"EUR": 67}
    assert shop.work.partners.settlement(SITE, FISCHER, 1) == first


def test_agreed_money_is_a_new_document_and_the_wrong_one_stays(shop: Shop) -> None:
    """Corrections are documents, too; and no period counts them a second time."""
    shop.start(funded())
    Till(shop).pay(shop.code_in_hand())
    first = settled(shop)
    line = CorrectionLine(campaign=CAMPAIGN, currency="EUR", amount_minor=-7)
    correction = correct_settlement(
        FISCHER,
        1,
        [line],
        site=SITE,
        by=SYSTEM,
        work=shop.work,
        now_ms=UnixMs(NOON_MS + DAY_MS),
        secrets=shop.secrets,
    )
    assert (correction.number, correction.corrects) == (2, 1)
    assert correction.totals_minor == {"EUR": -7}
    assert borne(shop)["fischer"] == 60
    next_day = Period(from_day=date(2023, 11, 15), until_day=date(2023, 11, 16))
    second = settle(shop, FISCHER, next_day, days=2)
    assert isinstance(second, Settlement)
    assert (second.number, second.lines) == (3, ())
    assert shop.work.partners.settlement(SITE, FISCHER, 1) == first


def test_periods_do_not_overlap_and_are_over(shop: Shop) -> None:
    """One posting in two documents would be paid twice."""
    shop.start(funded())
    Till(shop).pay(shop.code_in_hand())
    assert settle(shop, days=0) is SettlementRefusal.PERIOD_OPEN
    settled(shop)
    longer = Period(from_day=date(2023, 11, 13), until_day=date(2023, 11, 15))
    assert settle(shop, FISCHER, longer) is SettlementRefusal.PERIOD_OVERLAPS


def test_only_partners_of_the_site_are_settled_with(shop: Shop) -> None:
    """Unknown and of another site look the same."""
    shop.start(funded())
    with pytest.raises(NotFound, match="no such partner"):
        settle(shop, PartnerId("stranger"))
    with pytest.raises(NotFound, match="no such partner"):
        settle_partner(
            FISCHER, TODAY, site=SiteId("other"), by=SYSTEM, work=shop.work, now_ms=NOON_MS
        )
    settled(shop)
    unknown = CorrectionLine(campaign=campaign("other").campaign, currency="EUR", amount_minor=1)
    known = CorrectionLine(campaign=CAMPAIGN, currency="EUR", amount_minor=1)
    for number, lines, error in (
        (9, [known], NotFound),
        (1, [unknown], NotFound),
        (1, [known, known], InvalidCampaign),
    ):
        with pytest.raises(error):
            correct_settlement(
                FISCHER,
                number,
                lines,
                site=SITE,
                by=SYSTEM,
                work=shop.work,
                now_ms=NOON_MS,
                secrets=shop.secrets,
            )


def test_an_export_names_no_shopper(shop: Shop) -> None:
    """Money by campaign is all that a partner is told, in JSON and in CSV."""
    shop.start(funded())
    redemption = redeem(shop, shop.code_in_hand())
    document = settled(shop)
    told = SettlementBody.of(document).model_dump_json() + render_csv(document)
    for name in ("shopper", "coupon", "offer", "redemption", "purchase"):
        assert str(getattr(redemption, name)) not in told
        assert name not in told
    assert render_csv(document).splitlines()[1] == (
        "demo,fischer,1,period,,2023-11-14,2023-11-15,dowels-2-off,EUR,67,0,67"
    )


def test_the_terms_name_who_pays_in_both_languages() -> None:
    """A shopper may know in whose name a discount is given."""
    german = terms_of(funded(), zone=BERLIN, locale=Locale.DE)
    english = terms_of(funded(pays(FISCHER, 1)), zone=BERLIN, locale=Locale.EN)
    assert (
        "Fischer und Bosch tragen einen Teil der Kosten und erfahren dabei nichts über Sie."
        in german
    )
    assert "Fischer bears a part of the cost and learns nothing about you." in english
    assert len(terms_of(campaign(), zone=BERLIN, locale=Locale.DE)) == len(german) - 1


def test_a_document_says_it_and_is_read_back() -> None:
    """What a merchandiser writes is what is kept."""
    loaded = object_of(json.loads(render_campaign(funded())), "it")
    assert parse_campaign(loaded) == funded()


@pytest.mark.parametrize(
    ("partners", "told"),
    [
        ((), "funding has 0 partners"),
        ((pays(FISCHER, 6_000), pays(BOSCH, 4_001)), "the shares are 10001 basis points"),
        ((pays(FISCHER, 1), pays(FISCHER, 2)), "expected each partner once"),
        (
            (
                pays(FISCHER, 1),
                replace(pays(BOSCH, 1), amount_max=Money(amount_minor=1, currency="CHF")),
            ),
            "expected one currency",
        ),
    ],
)
def test_partners_that_cannot_pay_together_are_refused(partners, told: str) -> None:
    """The error names the field, and what was expected."""
    with pytest.raises(InvalidCampaign, match=told):
        Funding(partners=partners)


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda: pays(FISCHER, 0), "share_bp of fischer is 0"),
        (lambda: pays(FISCHER, 10_001), "share_bp of fischer is 10001"),
        (lambda: pays(FISCHER, 1, 0), "amount_max of fischer is 0"),
        (lambda: pays(PartnerId("Fischer AG"), 1), "funding.partner is 'Fischer AG'"),
        (lambda: funded(benefit=Information()), "what Information costs is not known"),
        (lambda: Period(from_day=TODAY.from_day, until_day=TODAY.from_day), "expected 1 to 366"),
    ],
)
def test_a_share_or_period_that_is_none_is_refused(make, told: str) -> None:
    """A promise must be an amount, and a period must have a day."""
    with pytest.raises(InvalidCampaign, match=told):
        make()


def test_an_entry_that_does_not_add_up_is_no_entry() -> None:
    """No database ever sees it."""
    account = Funded(site=SITE, campaign=CAMPAIGN, currency=LedgerUnit("EUR"))
    entry = FundingEntry(
        transaction=TransactionId("a" * 32),
        funded=account,
        kind=FundingKind.FUND,
        reason=FundingReason.DISCOUNT,
        postings=postings_of(account, {FISCHER: 40}, 60),
        at_ms=NOON_MS,
    )
    assert entry.amount_minor == 100
    assert account.partner(FISCHER).kind is AccountKind.PARTNER
    with pytest.raises(InvalidLedger, match="do not sum to 0"):
        replace(entry, postings=(Posting(account=account.retailer, amount_minor=1),))
    with pytest.raises(InvalidLedger, match="not all in one currency"):
        replace(entry, funded=replace(account, currency=LedgerUnit("CHF")))
    with pytest.raises(InvalidLedger, match="expected a transaction for take_back"):
        replace(entry, kind=FundingKind.TAKE_BACK)


shares_bp = st.lists(st.integers(1, 2_500), min_size=1, max_size=4)


@given(cost_minor=st.integers(0, 10**12), shares=shares_bp)
def test_shares_sum_to_the_cost_and_are_within_a_unit(cost_minor: int, shares: list[int]) -> None:
    """Hamilton's method: nobody pays for the rounding of the others."""
    funding = Funding(
        partners=tuple(pays(PartnerId(f"p{n}"), share) for n, share in enumerate(shares))
    )
    found = cost_shares(Money(amount_minor=cost_minor, currency="EUR"), funding)
    assert sum(found.partners_minor) + found.retailer_minor == cost_minor
    assert found.retailer_minor >= 0
    for minor, share_bp in zip(found.partners_minor, shares, strict=True):
        assert abs(minor * 10_000 - cost_minor * share_bp) < 10_000


@given(worth=st.integers(0, 10**6), pieces=st.lists(st.integers(1, 5), min_size=1, max_size=5))
def test_pieces_that_come_back_take_back_the_whole_worth(worth: int, pieces: list[int]) -> None:
    """In whatever steps."""
    of = sum(pieces)
    back = [
        returned_worth(worth, of=of, gone=sum(pieces[:place]), now=now)
        for place, now in enumerate(pieces)
    ]
    assert sum(back) == worth
    assert min(back) >= 0


@given(units=st.lists(st.integers(0, 10**6), min_size=1, max_size=5), rate=st.integers(0, 10**4))
def test_lines_are_worth_what_the_sum_is_worth(units: list[int], rate: int) -> None:
    """Rounded down once."""
    assert sum(worth_of_lines(units, rate)) == sum(units) * rate // 100


def test_a_summer_day_has_twenty_three_hours_in_march() -> None:
    """A period is whole days by the clocks of the site, whatever they do at night."""
    spring = Period(from_day=date(2026, 3, 29), until_day=date(2026, 3, 30))
    first, end = spring.bounds_ms("Europe/Berlin")
    assert end - first == 23 * 3_600_000


def test_stacked_coupons_are_borne_by_their_own_partners(shop: Shop) -> None:
    """Each discount of a basket is a cost of its own campaign."""
    start_programme(PROGRAMME, work=shop.work, now_ms=NOON_MS)
    ten = replace(
        funded(pays(BOSCH, 10_000), benefit=PercentOff(percent=10)),
        campaign=campaign("ten").campaign,
        stacking=StackingClass.COMBINABLE,
        frequency_cap=FrequencyCap(),
        priority=1,
    )
    shop.start(funded(pays(FISCHER, 10_000)), ten)
    first = shop.code_in_hand("tag:1")
    shop.work.campaigns.set_state(ten.campaign, shop.work.campaigns.find(CAMPAIGN).state.PAUSED)
    second = shop.code_in_hand("tag:2")
    Till(shop).pay(first, second, prices_minor=(1_000,))
    assert borne(shop) == {"fischer": 200, "campaign": -200}
    other = Funded(site=SITE, campaign=ten.campaign, currency=LedgerUnit("EUR"))
    assert shop.work.partners.balance_minor(other.partner(BOSCH).account) == 100
