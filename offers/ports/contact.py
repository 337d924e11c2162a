"""Keep trips, browsers, wishes, mails, and what was brought to a shopper by which way.

Layer: ports. Takes: nouns. Gives: `Trips`, `PushSubscriptions`, `Contacts`, `Mails` to storage.
"""

from typing import Protocol

from offers.model.ids import OfferId, PushSubscriptionId, ShopperId, TripId
from offers.model.messages.contact import ContactWishes, Delivery, DeliveryChannel
from offers.model.messages.mail import Mail, MailKind, MailState
from offers.model.messages.push import PushSubscription
from offers.model.visits.trip import Trip
from rtls.model.units import SiteId, UnixMs


class Trips(Protocol):
    """Stays of shoppers in sites, and which of them had its push."""

    def newest(self, shopper: ShopperId, site: SiteId) -> Trip | None:
        """Return the shopper's newest trip to the site, or None."""
        ...

    def add(self, trip: Trip) -> bool:
        """Write a new trip; False where another writer began one of the same number."""
        ...

    def extend(self, trip: TripId, *, seen_at_ms: UnixMs) -> None:
        """Write that something was seen; never earlier than before."""
        ...

    def has_push_slot(self, trip: TripId, offer: OfferId, *, slots: int) -> bool:
        """Say whether the offer has a slot of the trip, or could still take one."""
        ...

    def take_push_slot(self, trip: TripId, offer: OfferId, *, slots: int, at_ms: UnixMs) -> bool:
        """Take the first free of ``slots`` for the offer; True also where it has one already."""
        ...

    def free_push_slot(self, offer: OfferId) -> None:
        """Give the slot back: nobody took the push."""
        ...

    def forget_before(self, before_ms: UnixMs, *, limit: int) -> int:
        """Delete trips last seen before ``before_ms`` with their slots; return how many."""
        ...


class PushSubscriptions(Protocol):
    """The browsers that pushes go to."""

    def keep(self, subscription: PushSubscription, *, slots: int) -> None:
        """Write it; the same endpoint before, anybody's, goes, and the oldest beyond ``slots``."""
        ...

    def of_shopper(self, shopper: ShopperId) -> tuple[PushSubscription, ...]:
        """Return the shopper's browsers, newest first."""
        ...

    def remove(self, subscription: PushSubscriptionId) -> bool:
        """Delete one; False where it is unknown."""
        ...


class Contacts(Protocol):
    """How shoppers wish to be addressed, when they were, and the record of it."""

    def wishes_of(self, shopper: ShopperId) -> ContactWishes:
        """Return the wishes; those of a shopper who never said anything, where there are none."""
        ...

    def set_wishes(self, shopper: ShopperId, wishes: ContactWishes) -> None:
        """Write the wishes over the former ones."""
        ...

    def last_addressed(self, shopper: ShopperId, channel: DeliveryChannel) -> UnixMs | None:
        """Return when the shopper was last addressed by a channel."""
        ...

    def take_pace(
        self, shopper: ShopperId, channel: DeliveryChannel, *, at_ms: UnixMs, rest_ms: int
    ) -> bool:
        """Note an address by the channel, if the last is ``rest_ms`` past; else False."""
        ...

    def note_delivery(self, delivery: Delivery) -> None:
        """Write one record of an attempt."""
        ...

    def deliveries_of(self, shopper: ShopperId, *, limit: int) -> tuple[Delivery, ...]:
        """Return the newest records about the shopper, newest first."""
        ...

    def forget_before(self, before_ms: UnixMs, *, limit: int) -> int:
        """Delete records of deliveries older than ``before_ms``; return how many."""
        ...


class Mails(Protocol):
    """Mails that wait to be sent, and those that were."""

    def add(self, kind: MailKind, *, shopper: ShopperId, subject: str, at_ms: UnixMs) -> bool:
        """Write a mail; False where there was one of this kind and subject."""
        ...

    def due(self, *, now_ms: UnixMs, limit: int) -> tuple[Mail, ...]:
        """Return waiting mails whose time has come, oldest first."""
        ...

    def find(self, sequence: int) -> Mail | None:
        """Return a mail that still waits, or None."""
        ...

    def finish(self, sequence: int, state: MailState) -> bool:
        """Write how a waiting mail ended; False where it waits no more."""
        ...

    def postpone(self, sequence: int, *, until_ms: UnixMs, is_attempt: bool) -> None:
        """Write when a mail is looked at again, and whether an attempt to send it failed."""
        ...

    def forget_before(self, before_ms: UnixMs, *, limit: int) -> int:
        """Delete mails written before ``before_ms``; return how many."""
        ...
