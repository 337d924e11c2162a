"""Write 60 random bits as twelve characters that people can read out, and read them again.

Layer: rules. Takes: random bytes, or what somebody typed. Gives: codes to reveal_coupon, canonical
codes to checkout. Crockford's base 32 (https://www.crockford.com/base32.html) leaves out I, L, O
and U, so that no code is misread as another and few are rude.
"""

from typing import Final

from offers.model.errors import InvalidOffer

ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
CODE_CHARACTERS: Final = 12
# 12 characters of 5 bits. A guesser with 100 tries a second against a million live coupons hits
# once in some 350 years; with 8 characters it would be every three hours.
RANDOM_BYTES: Final = 8
TYPED_CHARACTERS_MAX: Final = 40
_MISREAD: Final = str.maketrans({"I": "1", "L": "1", "O": "0", "-": None, " ": None})


def render_code(random_bytes: bytes) -> str:
    """Return the code of the last 60 bits.

    Parameters
    ----------
    random_bytes : RANDOM_BYTES bytes
        From a source that nobody can guess.

    Examples
    --------
    >>> render_code(bytes(8)), render_code(bytes([255] * 8))
    ('000000000000', 'ZZZZZZZZZZZZ')
    """
    assert len(random_bytes) == RANDOM_BYTES
    number = int.from_bytes(random_bytes, "big")
    places = range(5 * (CODE_CHARACTERS - 1), -1, -5)
    return "".join(ALPHABET[number >> place & 31] for place in places)


def parse_code(typed: str) -> str:
    """Return the code that somebody typed or scanned, in its one canonical form.

    Small letters, blanks, hyphens and the lookalikes I, L and O are taken as what they stand for.

    Raises
    ------
    InvalidOffer
        If it cannot be a code. The message does not repeat it: a code is a secret.

    Examples
    --------
    >>> parse_code("abcd-efgh-iklo")
    'ABCDEFGH1K10'
    """
    code = typed[:TYPED_CHARACTERS_MAX].upper().translate(_MISREAD)
    is_sound = len(code) == CODE_CHARACTERS and all(character in ALPHABET for character in code)
    if not is_sound or len(typed) > TYPED_CHARACTERS_MAX:
        raise InvalidOffer(
            f"code has {len(typed)} characters; expected {CODE_CHARACTERS} letters and digits "
            "without U, in groups if you like. Scan or type it again."
        )
    return code


def group_code(code: str) -> str:
    """Return the code in groups of four, as people read it.

    Examples
    --------
    >>> group_code("ABCDEFGH1K10")
    'ABCD-EFGH-1K10'
    """
    return "-".join(code[start : start + 4] for start in range(0, CODE_CHARACTERS, 4))
