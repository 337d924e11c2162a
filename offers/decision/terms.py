"""Write the terms of a campaign in plain German or English, from the campaign itself.

Layer: rules. Takes: a `CampaignRevision`. Gives: sentences to the offer card and to whoever asks.
Nobody writes them by hand, so they cannot say anything else than what decisions and till do.
"""

from datetime import tzinfo

from offers.decision.benefit_terms import benefit_sentence
from offers.decision.said import WEEKDAY_NAMES, Said, day, duration, listed, span_of
from offers.decision.trigger_terms import trigger_sentence
from offers.model.campaigns.campaign import CampaignRevision
from offers.model.campaigns.schedule import ALWAYS, WEEKDAYS, Schedule
from offers.model.campaigns.schedule_json import clock
from offers.model.campaigns.stacking import StackingClass
from offers.model.campaigns.trigger import needs_locate
from offers.model.loyalty.reward import UnusedReward
from offers.model.people.shopper import Locale
from rtls.model.units import UnixMs


def terms_of(revision: CampaignRevision, *, zone: tzinfo, locale: Locale) -> tuple[str, ...]:
    """Return the terms, one sentence each, the most important first.

    Parameters
    ----------
    revision
        The wording in force.
    zone
        The site's time zone, for dates.
    locale
        The language.
    """
    sentences = [
        benefit_sentence(revision.benefit, zone),
        trigger_sentence(revision.trigger),
        *_for_whom(revision),
        _validity(revision, zone),
        *_schedule(revision.schedule),
        *_coupon(revision),
        *_funding(revision),
        _cap(revision),
        *_limits(revision),
        _consents(revision),
    ]
    return tuple(sentence.in_language(locale) for sentence in sentences)


def reward_terms(
    revision: CampaignRevision, unused: UnusedReward, *, zone: tzinfo, locale: Locale
) -> tuple[str, ...]:
    """Return the terms of a reward: those of its campaign, and what becomes of its points.

    Parameters
    ----------
    revision
        The campaign behind the reward.
    unused
        What the programme promises for a coupon that ends unused.
    zone, locale
        The site's time zone and the language.
    """
    terms = terms_of(revision, zone=zone, locale=locale)
    return (*terms, _unused(unused).in_language(locale)) if revision.has_coupon else terms


def _unused(unused: UnusedReward) -> Said:
    return {
        UnusedReward.GIVE_BACK: Said(
            de="Verfällt der Coupon ungenutzt, bekommen Sie die Punkte zurück; sie verfallen an "
            "dem Tag, an dem sie sonst verfallen wären.",
            en="If the coupon ends unused, you get the points back; they expire on the day on "
            "which they would have expired anyway.",
        ),
        UnusedReward.FORFEIT: Said(
            de="Verfällt der Coupon ungenutzt, sind auch die Punkte verfallen.",
            en="If the coupon ends unused, the points are lost, too.",
        ),
    }[unused]


def _for_whom(revision: CampaignRevision) -> list[Said]:
    if revision.audience is None and revision.conditions is None:
        return []
    return [
        Said(
            de="Es gilt für ausgewählte Kunden; die App sagt Ihnen, warum Sie dazugehören.",
            en="It is for selected shoppers; the app tells you why you are one of them.",
        )
    ]


def _validity(revision: CampaignRevision, zone: tzinfo) -> Said:
    # The end is exclusive: until midnight of 1 January means all of 31 December.
    first = day(revision.validity.from_ms, zone)
    last = day(UnixMs(revision.validity.until_ms - 1), zone)
    return Said(
        de=f"Die Aktion läuft vom {first.de} bis einschließlich {last.de}.",
        en=f"The campaign runs from {first.en} to {last.en}, inclusive.",
    )


def _schedule(schedule: Schedule) -> list[Said]:
    if schedule == ALWAYS:
        return []
    german, english = [], []
    if schedule.weekdays:
        names = [WEEKDAY_NAMES[day] for day in WEEKDAYS if day in schedule.weekdays]
        german.append(f"am {listed((name[0] for name in names), 'und')}")
        english.append(f"on {listed((name[1] for name in names), 'and')}")
    if schedule.hours:
        spans = [(clock(span.from_minute), clock(span.until_minute)) for span in schedule.hours]
        german.append(listed((f"von {first} bis {last} Uhr" for first, last in spans), "und"))
        english.append(listed((f"from {first} to {last}" for first, last in spans), "and"))
    if schedule.dates:
        days = [(span.first, span.last) for span in schedule.dates]
        german.append(listed((f"vom {a:%d.%m.%Y} bis {b:%d.%m.%Y}" for a, b in days), "und"))
        english.append(listed((f"from {a:%Y-%m-%d} to {b:%Y-%m-%d}" for a, b in days), "and"))
    for span in schedule.yearly:
        (month, first), (end, last) = span.first, span.last
        german.append(f"jedes Jahr vom {first}.{month}. bis {last}.{end}.")
        english.append(f"every year from {first}/{month} to {last}/{end} (day/month)")
    return [
        Said(
            de=f"Angebote gibt es {', '.join(german).removesuffix('.')}.",
            en=f"Offers are made {', '.join(english)}.",
        )
    ]


def _coupon(revision: CampaignRevision) -> list[Said]:
    if not revision.has_coupon:
        return []
    lasts = duration(revision.coupon_valid_s)
    return [
        Said(
            de=f"Der Coupon gilt {lasts.de} ab dem Angebot, einmal, an der Kasse dieses Marktes.",
            en=f"The coupon lasts {lasts.en} from the offer, once, at the checkout of this shop.",
        ),
        _stacking(revision.stacking),
    ]


def _funding(revision: CampaignRevision) -> list[Said]:
    if revision.funding is None:
        return []
    names = [partner.name for partner in revision.funding.partners]
    german, english = listed(names, "und"), listed(names, "and")
    if len(names) == 1:
        return [
            Said(
                de=f"{german} trägt einen Teil der Kosten und erfährt dabei nichts über Sie.",
                en=f"{english} bears a part of the cost and learns nothing about you.",
            )
        ]
    return [
        Said(
            de=f"{german} tragen einen Teil der Kosten und erfahren dabei nichts über Sie.",
            en=f"{english} bear a part of the cost and learn nothing about you.",
        )
    ]


def _stacking(stacking: StackingClass) -> Said:
    return {
        StackingClass.EXCLUSIVE: Said(
            de="Er gilt nicht zusammen mit anderen Coupons.",
            en="It cannot be combined with other coupons.",
        ),
        StackingClass.ONE_A_LINE: Said(
            de="Er gilt neben anderen Coupons, aber je Artikel nur einer.",
            en="It stands beside other coupons, but only one counts for each item.",
        ),
        StackingClass.COMBINABLE: Said(
            de="Er gilt zusätzlich zu anderen Coupons.",
            en="It counts on top of other coupons.",
        ),
    }[stacking]


def _cap(revision: CampaignRevision) -> Said:
    cap = revision.frequency_cap
    window = span_of(cap.window_s)
    return Said(
        de=f"Sie bekommen es höchstens {cap.offers_max} Mal innerhalb von {window.de}.",
        en=f"You get it at most {'once' if cap.offers_max == 1 else f'{cap.offers_max} times'} "
        f"within {window.en}.",
    )


def _limits(revision: CampaignRevision) -> list[Said]:
    if revision.budget is None:
        return []
    count = revision.budget.redemptions_max
    return [
        Said(
            de=f"Insgesamt gibt es {count} Einlösungen; danach endet die Aktion.",
            en=f"There are {count} redemptions in all; then the campaign ends.",
        )
    ]


def _consents(revision: CampaignRevision) -> Said:
    if needs_locate(revision.trigger):
        return Said(
            de="Voraussetzung ist, dass Sie der Ortung und persönlichen Angeboten zugestimmt "
            "haben; beides können Sie jederzeit in der App widerrufen.",
            en="It needs your consent to be located and to personal offers; you can withdraw both "
            "in the app at any time.",
        )
    return Said(
        de="Voraussetzung ist, dass Sie persönlichen Angeboten zugestimmt haben; das können Sie "
        "jederzeit in der App widerrufen.",
        en="It needs your consent to personal offers; you can withdraw it in the app at any time.",
    )
