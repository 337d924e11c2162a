"""Say who may call what: every operation of this API in one table.

Layer: edges. Takes: roles. Gives: `ROLES` to auth, which enforces it, and to the streams, which
sign in by themselves. What is not here is not answered; a test compares the table with the OpenAPI
document and calls every operation in every role.
"""

from collections.abc import Mapping
from typing import Final

from offers.model.people.shopper import Role

Roles = frozenset[Role]
# None and not an empty set: a set that came out empty by mistake must let nobody in.
EVERYBODY: Final = None
SHOPPER: Final = frozenset({Role.SHOPPER})
TILL: Final = frozenset({Role.TILL})
CAMPAIGN_STAFF: Final = frozenset({Role.MERCHANDISER, Role.STORE_ADMIN, Role.OPERATOR})
OPERATOR: Final = frozenset({Role.OPERATOR})
PROGRAMME_STAFF: Final = frozenset({Role.STORE_ADMIN, Role.OPERATOR})
PARTNER_STAFF: Final = frozenset({Role.MERCHANDISER, Role.OPERATOR})
STORE_ADMIN: Final = frozenset({Role.STORE_ADMIN})
SHOP_FLOOR: Final = frozenset({Role.TILL, Role.STORE_ADMIN})

ROLES: Final[Mapping[str, Roles | None]] = {
    "enrolShopper": EVERYBODY,
    "claimCard": EVERYBODY,
    "getProblem": EVERYBODY,
    "getCard": SHOPPER,
    "getCardCode": SHOPPER,
    "getConsents": SHOPPER,
    "putConsent": SHOPPER,
    "putBirthday": SHOPPER,
    "exportShopper": SHOPPER,
    "eraseShopper": SHOPPER,
    "getPairings": SHOPPER,
    "pairTag": SHOPPER,
    "unpairTag": SHOPPER,
    "reportScan": SHOPPER,
    "noteAppOpened": SHOPPER,
    "reportProductScan": SHOPPER,
    "getOffers": SHOPPER,
    "openOffer": SHOPPER,
    "dismissOffer": SHOPPER,
    "getCouponCode": SHOPPER,
    "getWhy": SHOPPER,
    "streamOffers": SHOPPER,
    "getReferrals": SHOPPER,
    "claimReferral": SHOPPER,
    "getSurveys": SHOPPER,
    "answerSurvey": SHOPPER,
    "complain": SHOPPER,
    "getOwnCases": SHOPPER,
    "requestStaff": SHOPPER,
    "withdrawStaffRequest": SHOPPER,
    "getPoints": SHOPPER,
    "getExpiringPoints": SHOPPER,
    "getPointsHistory": SHOPPER,
    "getTier": SHOPPER,
    "getStatement": SHOPPER,
    "getRewards": SHOPPER,
    "exchangeReward": SHOPPER,
    "getAttributes": SHOPPER,
    "putAttribute": SHOPPER,
    "getPushKey": SHOPPER,
    "getPushSubscriptions": SHOPPER,
    "addPushSubscription": SHOPPER,
    "removePushSubscription": SHOPPER,
    "getContact": SHOPPER,
    "putContact": SHOPPER,
    "showUnsubscribe": EVERYBODY,
    "unsubscribe": EVERYBODY,
    "getWebhooks": OPERATOR,
    "addWebhook": OPERATOR,
    "removeWebhook": OPERATOR,
    "renewWebhookSecret": OPERATOR,
    "replayWebhook": OPERATOR,
    "getDeadLetters": OPERATOR,
    "quoteBasket": TILL,
    "handOutCard": TILL,
    "holdBasket": TILL,
    "commitBasket": TILL,
    "cancelBasket": TILL,
    "redeemCoupon": TILL,
    "getTillKeys": TILL,
    "getSiteBudgets": CAMPAIGN_STAFF,
    "putSiteBudgets": CAMPAIGN_STAFF,
    "getCampaignBudgets": CAMPAIGN_STAFF,
    "bookOfflineBatch": TILL,
    "getOfflineConflicts": CAMPAIGN_STAFF,
    "getOfflineCoupon": SHOPPER,
    "getPurchase": TILL,
    "returnPurchase": TILL,
    "getCampaignTerms": EVERYBODY,
    "getCampaignTemplates": CAMPAIGN_STAFF,
    "simulateCampaign": CAMPAIGN_STAFF,
    "getCampaigns": CAMPAIGN_STAFF,
    "getCampaign": CAMPAIGN_STAFF,
    "addCampaignRevision": CAMPAIGN_STAFF,
    "pauseCampaign": CAMPAIGN_STAFF,
    "issueByHand": CAMPAIGN_STAFF,
    "getProgramme": PROGRAMME_STAFF,
    "getProgrammeRevisions": PROGRAMME_STAFF,
    "getProgrammeRevision": PROGRAMME_STAFF,
    "checkProgramme": PROGRAMME_STAFF,
    "addProgrammeRevision": PROGRAMME_STAFF,
    "settlePartner": PARTNER_STAFF,
    "correctSettlement": PARTNER_STAFF,
    "getSettlements": PARTNER_STAFF,
    "getSettlement": PARTNER_STAFF,
    "getSettlementCsv": PARTNER_STAFF,
    "publishSurvey": CAMPAIGN_STAFF,
    "sizeAudience": CAMPAIGN_STAFF,
    "getSegments": CAMPAIGN_STAFF,
    "getSurveyCounts": CAMPAIGN_STAFF,
    "getCases": STORE_ADMIN,
    "getCase": STORE_ADMIN,
    "answerCase": STORE_ADMIN,
    "closeCase": STORE_ADMIN,
    "getCaseFigures": CAMPAIGN_STAFF,
    "suspendCard": STORE_ADMIN,
    "getSuspensions": STORE_ADMIN,
    "liftSuspension": STORE_ADMIN,
    "getOwnSuspension": SHOPPER,
    "appealSuspension": SHOPPER,
    "printStatement": SHOP_FLOOR,
    "getStaffRequests": SHOP_FLOOR,
    "takeStaffRequest": SHOP_FLOOR,
    "finishStaffRequest": SHOP_FLOOR,
    "grantGoodwill": SHOP_FLOOR,
}
