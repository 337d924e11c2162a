"""Say in plain words what a benefit gives.

Layer: rules. Takes: a `Benefit`. Gives: a sentence in German and English to terms.
"""

from datetime import tzinfo
from typing import assert_never

from offers.decision.said import Said, day, money, scope
from offers.model.campaigns.benefit import (
    AppBenefit,
    Benefit,
    Cashback,
    EarlyAccess,
    Event,
    FreeDelivery,
    FreeItem,
    Gift,
    Information,
    MoneyOff,
    PercentOff,
    Points,
    PointsMultiplier,
    PriceBenefit,
    Service,
)
from offers.model.money import Money


def benefit_sentence(benefit: Benefit, zone: tzinfo) -> Said:
    """Return what the shopper gets, and from what basket on."""
    if isinstance(benefit, AppBenefit):
        return _app_sentence(benefit, zone)
    if isinstance(benefit, Event):
        starts = day(benefit.starts_at_ms, zone)
        return Said(
            de=f"Sie erhalten einen Platz bei: {benefit.name} ({starts.de}).",
            en=f"You get a place at: {benefit.name} ({starts.en}).",
        )
    given = _price(benefit) if isinstance(benefit, PriceBenefit) else _other(benefit)
    least = _least(benefit.basket_min)
    return Said(de=f"Sie erhalten {given.de}{least.de}.", en=f"You get {given.en}{least.en}.")


def _app_sentence(benefit: AppBenefit, zone: tzinfo) -> Said:
    match benefit:
        case Points():
            return Said(
                de=f"Sie erhalten {benefit.points} Punkte, sobald Sie das Angebot öffnen.",
                en=f"You get {benefit.points} points as soon as you open the offer.",
            )
        case EarlyAccess():
            public = day(benefit.public_from_ms, zone)
            return Said(
                de=f"Sie bekommen {benefit.item} früher als andere: für alle ab {public.de}.",
                en=f"You get {benefit.item} earlier than others: for everybody from {public.en}.",
            )
        case Information():
            return Said(
                de="Sie erhalten eine Information. Sie kostet nichts und verpflichtet zu nichts.",
                en="You get a piece of information. It costs nothing and binds you to nothing.",
            )
        case _:
            assert_never(benefit)


def _price(benefit: PriceBenefit) -> Said:
    where = scope(benefit.applies_to)
    named = where.en.removeprefix(" on")
    match benefit:
        case MoneyOff():
            off = money(benefit.amount)
            return Said(de=f"{off.de} Rabatt{where.de}", en=f"{off.en} off{named}")
        case PercentOff():
            most = _most(benefit.discount_max)
            return Said(
                de=f"{benefit.percent} % Rabatt{where.de}{most.de}",
                en=f"{benefit.percent} % off{named}{most.en}",
            )
        case FreeItem():
            return _free_item(benefit, where)
        case _:
            assert_never(benefit)


def _free_item(benefit: FreeItem, where: Said) -> Said:
    count, paid = benefit.quantity, benefit.with_bought
    besides = Said(de="", en="")
    if paid:
        besides = Said(
            de=f", wenn Sie {paid} weitere davon bezahlen", en=f", if you pay for {paid} others"
        )
    of = Said(de=where.de.replace(" auf ", " von ", 1), en=where.en.replace(" on ", " of ", 1))
    return Said(
        de=f"{count} Stück gratis{of.de}, das günstigste zuerst{besides.de}",
        en=f"{count} for free{of.en}, the cheapest first{besides.en}",
    )


def _other(benefit: Gift | PointsMultiplier | Cashback | FreeDelivery | Service) -> Said:
    where = scope(benefit.applies_to)
    match benefit:
        case Gift():
            said = Said(de=f"ein Geschenk: {benefit.item}", en=f"a gift: {benefit.item}")
        case PointsMultiplier():
            times = f"{benefit.percent / 100:g}"
            german = times.replace(".", ",")
            said = Said(de=f"{german}-fache Punkte{where.de}", en=f"{times} × points{where.en}")
        case Cashback():
            most = _most(benefit.cashback_max)
            said = Said(
                de=f"{benefit.percent} % als Guthaben zurück{where.de}{most.de}",
                en=f"{benefit.percent} % back as credit{where.en}{most.en}",
            )
        case FreeDelivery():
            said = Said(de="die Lieferung kostenlos", en="free delivery")
        case Service():
            said = Said(
                de=f"eine Leistung kostenlos: {benefit.service}",
                en=f"a service for free: {benefit.service}",
            )
        case _:
            assert_never(benefit)
    return said


def _most(limit: Money | None) -> Said:
    if limit is None:
        return Said(de="", en="")
    most = money(limit)
    return Said(de=f", höchstens {most.de}", en=f", at most {most.en}")


def _least(limit: Money | None) -> Said:
    if limit is None:
        return Said(de="", en="")
    least = money(limit)
    return Said(de=f" ab {least.de} Einkaufswert", en=f" from a purchase of {least.en}")
