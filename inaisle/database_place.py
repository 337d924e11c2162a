"""Say where the offers are kept: in a file beside the other data, or on a PostgreSQL server.

Layer: doors. Takes: settings. Gives: the place to the doors that open it. Of several processes on
one shop's offers, all name the same place.
"""

from importlib.util import find_spec

import sqlalchemy as sa

from inaisle.errors import InvalidSettings, Unavailable
from inaisle.settings import Settings
from offers.storage.database import Place

KEY = "offers.database_url"
EXPECTED = "postgresql://user:password@host/database"


def database_place(settings: Settings) -> Place:
    """Return the file or the URL of the database of offers.

    Raises
    ------
    InvalidSettings
        If the URL is none of PostgreSQL, or a file is named as well.
    Unavailable
        If the driver of PostgreSQL is not installed.
    """
    given = settings.offers.database_url
    if given is None:
        return settings.offers.database or settings.site.data / "offers.sqlite"
    if settings.offers.database is not None:
        raise InvalidSettings(
            f"{KEY} and offers.database are both set; expected one. Remove the other."
        )
    url = _parse(given.get_secret_value())
    if find_spec("psycopg") is None:
        raise Unavailable(
            f"{KEY} names a PostgreSQL server, and its driver is not installed. "
            "Run pip install 'inaisle[postgres]'."
        )
    return url


def _parse(text: str) -> sa.URL:
    # The text itself stays out of messages: it holds a password.
    try:
        url = sa.make_url(text)
    except (sa.exc.ArgumentError, ValueError):
        raise InvalidSettings(f"{KEY} is no URL; expected {EXPECTED}.") from None
    if url.get_backend_name() not in {"postgresql", "postgres"}:
        raise InvalidSettings(
            f"{KEY} begins with {url.drivername}://; expected {EXPECTED}. An SQLite file is named "
            "by offers.database."
        )
    if not url.database:
        raise InvalidSettings(f"{KEY} names no database; expected {EXPECTED}.")
    return url


def name_of(place: Place) -> str:
    """Return what to call the place in messages: never with its password."""
    return place.render_as_string(hide_password=True) if isinstance(place, sa.URL) else str(place)
