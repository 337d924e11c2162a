"""What can go wrong with offers, as one tree of errors.

Layer: nouns. Takes: the root of `rtls`. Gives: the errors that public functions of `offers` raise.

    InaisleError
    └── OffersError
        ├── InvalidMoney          an amount or currency that cannot be money
        ├── InvalidShopper        a shopper, consent, pairing or credential that cannot be
        ├── InvalidCampaign       a campaign that cannot work: campaign, field and remedy are named
        │   └── InvalidCondition  a condition that cannot be: its place in the document is named
        ├── InvalidBasket         a basket that no checkout can have sent
        ├── InvalidCode           a scanned code that cannot be read: position and remedy are named
        ├── InvalidKey            an idempotency key that cannot be one
        ├── InvalidOffer          an offer, coupon or redemption that contradicts itself
        ├── InvalidContact        a wish, quiet hours or mail address that cannot be
        ├── InvalidTarget         an address that we must not call, or a key that is none
        ├── Unreachable           nobody answers there, or not in time: try again later
        ├── InvalidSurvey         a survey that nobody could answer
        ├── InvalidAnswer         an answer that its question does not allow
        ├── InvalidExperiment     an experiment, or a change of one, that teaches nothing
        ├── InvalidSample         numbers or logged choices that no statistic can be made of
        ├── InvalidPanel          tables or a model that no ranking could be learnt from or made by
        ├── InvalidCatalogue      a product, or a line of a catalogue, that cannot be
        ├── InvalidSearch         a query that is empty, too long or asks for too much
        ├── InvalidProgramme      rules of earning, tiers or rewards that cannot work
        ├── InvalidLedger         a posting, lot or wish that no book of points could hold
        ├── InvalidTenant         a name that no tenant can have, or one that is nobody's
        ├── WrongState            a step that the state of an offer or coupon does not allow
        │   └── Expired           its time is over, for good
        ├── NotFound              no such thing, or not this person's: never told apart
        ├── Conflict              true elsewhere already
        │   ├── ConsentMissing    the purpose has not been granted
        │   ├── TooYoung          a child cannot grant it alone
        │   ├── TagTaken          the tag is paired with another shopper
        │   ├── KeyReused         an idempotency key came again with another request
        │   └── ReferenceReused   a cause has moved points already, and others than now
        └── StorageError
            ├── Busy              locked, full or overloaded: try again later; nothing is half done
            └── CorruptDatabase   refuse to start

A refusal (`offers.model.offering.refusal`) is no error: it is an answer that the rules foresee.
Every message names the field, the value, what was expected, and the remedy.
"""

from rtls.model.errors import InaisleError


class OffersError(InaisleError):
    """Root of the errors of offers."""


class InvalidMoney(OffersError, ValueError):
    """An amount or a currency that cannot be money, or two currencies in one sum."""


class InvalidShopper(OffersError, ValueError):
    """A shopper, consent, pairing or credential that cannot be."""


class InvalidCampaign(OffersError, ValueError):
    """A campaign that cannot work."""


class InvalidCondition(InvalidCampaign):
    """A condition that cannot be; its place in the document is named."""


class InvalidBasket(OffersError, ValueError):
    """A basket that no checkout can have sent."""


class InvalidCode(OffersError, ValueError):
    """A scanned code that cannot be read."""


class InvalidKey(OffersError, ValueError):
    """An idempotency key, or an answer to keep under it, that cannot be one."""


class InvalidOffer(OffersError, ValueError):
    """An offer, coupon or redemption that contradicts itself."""


class InvalidContact(OffersError, ValueError):
    """A wish about messages, quiet hours or a mail address that cannot be."""


class InvalidTarget(OffersError, ValueError):
    """An address that we must not call, or a key that does not belong to one."""


class Unreachable(OffersError):
    """Nobody answers there, or not in time, or not in the protocol. Try again later."""


class InvalidSurvey(OffersError, ValueError):
    """A survey that nobody could answer."""


class InvalidAnswer(OffersError, ValueError):
    """An answer that its question does not allow."""


class InvalidExperiment(OffersError, ValueError):
    """An experiment, or a change of one, that nothing could be learnt from."""


class InvalidSample(OffersError, ValueError):
    """Numbers or logged choices that no statistic can be made of; the field is named."""


class InvalidPanel(OffersError, ValueError):
    """Tables or a model that no ranking could be learnt from or made by."""


class InvalidCatalogue(OffersError, ValueError):
    """A product, or a line of a catalogue, that cannot be."""


class InvalidSearch(OffersError, ValueError):
    """A query that is empty, too long or asks for too much."""


class InvalidProgramme(OffersError, ValueError):
    """Rules of earning, tiers or rewards that cannot work."""


class InvalidLedger(OffersError, ValueError):
    """A posting, lot or wish that no book of points could hold."""


class InvalidTenant(OffersError, ValueError):
    """A name that no tenant can have, or one that is nobody's."""


class WrongState(OffersError):
    """A step that the state of an offer or coupon does not allow."""


class Expired(WrongState):
    """The time of an offer or coupon is over, for good."""


class NotFound(OffersError):
    """No such thing, or not this person's."""


class Conflict(OffersError):
    """The wish contradicts what is already true."""


class ConsentMissing(Conflict):
    """The wish needs a purpose that the shopper has not granted."""


class TooYoung(Conflict):
    """A child cannot grant a purpose alone."""


class TagTaken(Conflict):
    """The tag is paired with another shopper."""


class KeyReused(Conflict):
    """An idempotency key came again with another request."""


class ReferenceReused(Conflict):
    """A cause has moved points already, and others than now."""


class StorageError(OffersError):
    """The database does not answer as it should."""


class Busy(StorageError):
    """The database is locked, full or overloaded. Nothing is half done; try again later."""


class CorruptDatabase(StorageError):
    """The database file is damaged or of another program. Refuse to start."""
