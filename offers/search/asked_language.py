"""Choose the language of an answer.

Layer: rules. Takes: an Accept-Language header (RFC 9110, 12.5.4) and the shopper's own language.
Gives: a `Locale` to the routes. What the app asks for counts before what was said at enrolment.
"""

import re
from typing import Final

from offers.model.people.shopper import Locale

HEADER_CHARACTERS_MAX: Final = 200
RANGE: Final = re.compile(
    r"\A\s*([A-Za-z]{1,8})(?:-[A-Za-z0-9-]*)?\s*(?:;\s*q\s*=\s*([0-9.]+)\s*)?\Z"
)


def asked_language(header: str | None, own: Locale) -> Locale:
    """Return the language that the header likes best, or the shopper's own.

    What is no language range is passed over: a header never makes a request fail.

    Examples
    --------
    >>> asked_language("fr, en-GB;q=0.8, de;q=0.5", Locale.DE).value
    'en'
    >>> asked_language("fr, *;q=0.1", Locale.DE).value
    'de'
    """
    best, best_worth = own, 0.0
    for part in (header or "")[:HEADER_CHARACTERS_MAX].split(","):
        found = RANGE.match(part)
        known = None if found is None else _known(found[1])
        worth = 0.0 if found is None else _worth(found[2])
        if known is not None and worth > best_worth:
            best, best_worth = known, worth
    return best


def _known(language: str) -> Locale | None:
    return next((locale for locale in Locale if locale.value == language.lower()), None)


def _worth(text: str | None) -> float:
    try:
        return 1.0 if text is None else min(float(text), 1.0)
    except ValueError:
        return 0.0
