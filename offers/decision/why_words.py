"""Hold the words that tell a shopper why: one sentence for each reason, in German and in English.

Layer: rules. Takes: nothing. Gives: the words to why. ``{title}`` is what the offer is called,
``{where}`` and ``{place}`` the zone. Numbers of others, budgets and shares of groups stand in none.
"""

from collections.abc import Mapping
from typing import Final

from offers.decision.said import Said
from offers.model.campaigns.trigger import TriggerKind
from offers.model.offering.refusal import PushRefusal

NOTHING: Final = Said(
    de="Diesmal gab es für Sie kein Angebot.", en="There was no offer for you this time."
)
NOTHING_WAITED: Final = Said(
    de="Hierfür gab es gerade kein Angebot.", en="No offer was waiting for this."
)

WORDS: Final[Mapping[str, Said]] = {
    "card_suspended": Said(
        de="Ihre Karte ist gesperrt; solange gibt es keine Angebote.",
        en="Your card is suspended; there are no offers meanwhile.",
    ),
    "paused": Said(
        de="Sie wollten heute am Regal in Ruhe gelassen werden.",
        en="You asked to be left alone at the shelves today.",
    ),
    "event_late": Said(
        de="Wir erfuhren zu spät davon; ein Angebot hätte Ihnen nicht mehr genützt.",
        en="We learnt of it too late; an offer would have been of no use to you any more.",
    ),
    "visit_ended": Said(
        de="Sie waren schon weitergegangen.",
        en="You had already moved on.",
    ),
    "consent_locate_missing": Said(
        de="Sie haben nicht erlaubt, dass wir sehen, wo Sie stehen. Ohne das gibt es kein Angebot "
        "am Regal.",
        en="You have not allowed us to see where you stand. Without that there is no offer at the "
        "shelf.",
    ),
    "consent_personalise_missing": Said(
        de="Sie haben persönlichen Angeboten nicht zugestimmt.",
        en="You have not agreed to personal offers.",
    ),
    "no_longer_valid": Said(
        de="„{title}“ war schon vorbei.",
        en="“{title}” was already over.",
    ),
    "out_of_schedule": Said(
        de="„{title}“ gilt an anderen Tagen oder zu anderen Zeiten.",
        en="“{title}” is for other days or other hours.",
    ),
    "condition_unmet": Said(
        de="Die Bedingungen von „{title}“ waren nicht erfüllt.",
        en="The conditions of “{title}” were not met.",
    ),
    "for_others": Said(
        de="Andere Angebote sind für andere Kunden gedacht, etwa für eine andere Stufe.",
        en="Other offers are meant for other shoppers, for example of another tier.",
    ),
    "held_out": Said(
        de="Sie gehören zu einer kleinen Gruppe, die eine Zeit lang keine Angebote bekommt. So "
        "lernen wir, ob Angebote etwas nützen. Das Los hat entschieden, nichts an Ihnen.",
        en="You belong to a small group that gets no offers for a time. So we learn whether offers "
        "are of any use. It was drawn by lot, and says nothing about you.",
    ),
    "trial": Said(
        de="Wir probieren Angebote aus. Wer welches bekommt, entscheidet das Los.",
        en="We are trying offers out. Who gets which is drawn by lot.",
    ),
    "already_offered": Said(
        de="„{title}“ hatten Sie bei dieser Gelegenheit schon bekommen.",
        en="You had already got “{title}” on this occasion.",
    ),
    "frequency_cap": Said(
        de="„{title}“ hatten Sie erst vor kurzem; öfter wollen wir nicht stören.",
        en="You had “{title}” not long ago; we do not want to disturb you more often.",
    ),
    "cool_down": Said(
        de="Sie haben „{title}“ vor kurzem weggewischt; eine Zeit lang kommt es nicht wieder.",
        en="You dismissed “{title}” not long ago; it will not come back for a time.",
    ),
    "trip_cap": Said(
        de="Bei diesem Besuch hatten Sie schon genug Angebote.",
        en="You had already had enough offers during this stay.",
    ),
    "not_available": Said(
        de="„{title}“ war gerade nicht zu haben.",
        en="“{title}” was not available just then.",
    ),
    "outranked": Said(
        de="„{title}“ wäre auch möglich gewesen.",
        en="“{title}” would have been possible, too.",
    ),
}
"""by reason"""

CAUSES: Final[Mapping[TriggerKind, Said]] = {
    TriggerKind.VISIT: Said(
        de=", weil Sie{where} eine Weile standen",
        en="because you stood{where} for a while",
    ),
    TriggerKind.ENTER: Said(
        de=", als Sie{where} ankamen",
        en="as you arrived{where}",
    ),
    TriggerKind.LEAVE: Said(
        de=", nachdem Sie{where} gewesen waren",
        en="after you had been{where}",
    ),
    TriggerKind.TRIP_START: Said(
        de=", weil Sie in den Markt kamen",
        en="because you came into the store",
    ),
    TriggerKind.TRIP_END: Said(
        de=" nach Ihrem Besuch im Markt",
        en="after your visit to the store",
    ),
    TriggerKind.WELCOME: Said(
        de=", weil Sie sich angemeldet hatten",
        en="because you had joined",
    ),
    TriggerKind.BIRTHDAY: Said(
        de=" zu Ihrem Geburtstag",
        en="for your birthday",
    ),
    TriggerKind.ANNIVERSARY: Said(
        de=" zum Jahrestag Ihres ersten Einkaufs",
        en="on the anniversary of your first purchase",
    ),
    TriggerKind.MILESTONE: Said(
        de=", weil Sie so oft bei uns waren",
        en="because you had been with us so often",
    ),
    TriggerKind.SPEND_THRESHOLD: Said(
        de=", weil Ihre Einkäufe eine Summe erreicht hatten",
        en="because your purchases had reached a sum",
    ),
    TriggerKind.SEGMENT: Said(
        de=" wegen dem, wie oft und wie viel Sie zuletzt eingekauft hatten",
        en="because of how often and how much you had lately bought",
    ),
    TriggerKind.BASKET: Said(
        de=", weil Sie Ihre Karte an der Kasse zeigten",
        en="because you showed your card at the till",
    ),
    TriggerKind.POINTS_EXPIRING: Said(
        de=", weil Punkte von Ihnen bald verfallen",
        en="because points of yours expire soon",
    ),
    TriggerKind.REGULAR_PURCHASE: Said(
        de=", weil Sie etwas regelmäßig kaufen",
        en="because you buy something regularly",
    ),
    TriggerKind.REFERRAL: Said(
        de=", weil jemand eingekauft hat, den Sie geworben haben",
        en="because somebody whom you brought has bought",
    ),
    TriggerKind.SURVEY: Said(
        de=", weil Sie unsere Fragen beantwortet hatten",
        en="because you had answered our questions",
    ),
    TriggerKind.MANUAL: Said(
        de=", weil unser Personal es Ihnen geben wollte",
        en="because our staff wanted you to have it",
    ),
}
"""why the campaign was woken; a German clause brings its comma"""

CHOSEN_BY: Final[Mapping[bool, Said]] = {
    True: Said(
        de="Von mehreren möglichen wurde es nach dem gewählt, was Sie gekauft haben, und danach, "
        "wie oft solche Angebote genutzt werden; ein wenig Zufall ist dabei.",
        en="Of several it was chosen by what you have bought and by how often such offers are "
        "used, with a little chance.",
    ),
    False: Said(
        de="Von mehreren möglichen hat der Markt dieses vorn hingestellt.",
        en="Of several the store has put this one first.",
    ),
}
"""whether a ranking chose"""

SILENT: Final[Mapping[PushRefusal, Said]] = {
    PushRefusal.NOTIFY_NOT_GRANTED: Said(
        de="Eine Mitteilung aufs Telefon gab es nicht: Mitteilungen haben Sie nicht erlaubt.",
        en="No message was sent to your phone: you have not allowed messages.",
    ),
    PushRefusal.CHANNEL_OFF: Said(
        de="Eine Mitteilung aufs Telefon gab es nicht: Diesen Weg haben Sie abgeschaltet.",
        en="No message was sent to your phone: you have switched this way off.",
    ),
    PushRefusal.NO_ADDRESS: Said(
        de="Eine Mitteilung aufs Telefon gab es nicht: Wir haben keine Adresse für Mitteilungen.",
        en="No message was sent to your phone: we have no address for messages.",
    ),
    PushRefusal.QUIET_HOURS: Said(
        de="Eine Mitteilung aufs Telefon gab es nicht: Um diese Zeit stören wir nicht.",
        en="No message was sent to your phone: we do not disturb at that hour.",
    ),
    PushRefusal.NO_TRIP: Said(
        de="Eine Mitteilung aufs Telefon gab es nicht: Es hing nicht an einem Ort.",
        en="No message was sent to your phone: it was not about a place.",
    ),
    PushRefusal.TRIP_CAP: Said(
        de="Eine Mitteilung aufs Telefon gab es nicht: Bei diesem Besuch gab es schon eine.",
        en="No message was sent to your phone: you had a message during this stay already.",
    ),
    PushRefusal.TOO_SOON: Said(
        de="Eine Mitteilung aufs Telefon gab es nicht: Sie wünschen seltener Mitteilungen.",
        en="No message was sent to your phone: you wish for fewer messages.",
    ),
    PushRefusal.TOO_LATE: Said(
        de="Eine Mitteilung aufs Telefon gab es nicht: Für eine Mitteilung war es zu spät.",
        en="No message was sent to your phone: it was too late for a message.",
    ),
}
"""why it was not pushed"""
