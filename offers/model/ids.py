"""Name the things of offers, so that a coupon's id never stands where an offer's belongs.

Layer: nouns. Takes: ids from outside. Gives: id types and their grammar to every module of offers.
"""

import re
from typing import Final, NewType

from offers.model.errors import OffersError

ShopperId = NewType("ShopperId", str)
CredentialId = NewType("CredentialId", str)
ConsentId = NewType("ConsentId", str)
PairingId = NewType("PairingId", str)
CampaignId = NewType("CampaignId", str)
DecisionId = NewType("DecisionId", str)
ExperimentId = NewType("ExperimentId", str)
OfferId = NewType("OfferId", str)
CouponId = NewType("CouponId", str)
RedemptionId = NewType("RedemptionId", str)
TransactionId = NewType("TransactionId", str)
TillId = NewType("TillId", str)
StaffName = NewType("StaffName", str)
BasketId = NewType("BasketId", str)
PurchaseId = NewType("PurchaseId", str)
ReturnId = NewType("ReturnId", str)
ReversalId = NewType("ReversalId", str)
VisitId = NewType("VisitId", str)
TripId = NewType("TripId", str)
PushSubscriptionId = NewType("PushSubscriptionId", str)
WebhookId = NewType("WebhookId", str)
ReferralId = NewType("ReferralId", str)
SurveyId = NewType("SurveyId", str)
StaffRequestId = NewType("StaffRequestId", str)
SuspensionId = NewType("SuspensionId", str)
CaseId = NewType("CaseId", str)
CaseAnswerId = NewType("CaseAnswerId", str)
TenantId = NewType("TenantId", str)

ONLY_TENANT: Final = TenantId("default")
"""whose the rows are where a database serves one retailer, as every file does"""

# Ids that people choose: campaigns, tills, surveys. `\Z`, since `$` lets a newline through.
NAME_PATTERN: Final = re.compile(r"\A[a-z0-9][a-z0-9-]{0,62}\Z")
# Ids that we make: 128 random bits. They carry no meaning and cannot be guessed.
RANDOM_PATTERN: Final = re.compile(r"\A[0-9a-f]{32}\Z")
RANDOM_ID_BYTES: Final = 16
TEXT_CHARACTERS_MAX: Final = 200


def check_name(field: str, name: str, *, error: type[OffersError]) -> None:
    """Refuse a chosen id that could not stand in a path, a log line or a query.

    Raises ``error`` if ``name`` breaks the grammar.
    """
    if not NAME_PATTERN.match(name):
        raise error(
            f"{field} is {name!r}; expected 1 to 63 of a-z, 0-9 and '-', not beginning with '-'."
        )


def check_random_id(field: str, given: str, *, error: type[OffersError]) -> None:
    """Refuse an id that we cannot have made.

    Raises ``error`` if ``given`` is not 32 lower-case hex digits.
    """
    if not RANDOM_PATTERN.match(given):
        raise error(f"{field} is {given!r}; expected 32 hex digits as this service gave them.")


def check_text(field: str, text: str, *, error: type[OffersError]) -> None:
    """Refuse a text that is empty, too long or not printable.

    Raises ``error`` if ``text`` is not 1 to `TEXT_CHARACTERS_MAX` printable characters.
    """
    if not 1 <= len(text) <= TEXT_CHARACTERS_MAX or not text.isprintable():
        raise error(
            f"{field} is {text[:60]!r} ({len(text)} characters); expected 1 to "
            f"{TEXT_CHARACTERS_MAX} printable characters."
        )
