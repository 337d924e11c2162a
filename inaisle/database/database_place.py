"""Say where the offers are kept: in a file beside the other data, or on a PostgreSQL server.

Layer: doors. Takes: settings. Gives: the place to the doors that open it. Of several processes on
one shop's offers, all name the same place.
"""

from importlib.util import find_spec
from pathlib import Path

import sqlalchemy as sa

from inaisle.errors import InvalidSettings, Unavailable
from inaisle.settings import Settings
from offers.model.ids import ONLY_TENANT, TenantId
from offers.storage.database import Place, url_of
from offers.storage.postgres_server import TenantPlace

KEY = "offers.database_url"
EXPECTED = "postgresql://user:password@host/database"


def database_place(settings: Settings) -> Place:
    """Return the file or the URL of the database of offers.

    Raises
    ------
    InvalidSettings
        If the URL is none of PostgreSQL, or a file is named as well, or a tenant with a file.
    Unavailable
        If the driver of PostgreSQL is not installed.
    """
    given = settings.offers.database_url
    if given is None:
        if settings.offers.tenant != ONLY_TENANT:
            raise InvalidSettings(
                f"offers.tenant is {settings.offers.tenant!r} and {KEY} is empty; expected a "
                "PostgreSQL server, which many tenants share. A file holds one: leave tenant out."
            )
        return settings.offers.database or settings.site.data / "offers.sqlite"
    if settings.offers.database is not None:
        raise InvalidSettings(
            f"{KEY} and offers.database are both set; expected one. Remove the other."
        )
    url = _parse(given.get_secret_value())
    place = TenantPlace(url=url, tenant=TenantId(settings.offers.tenant))
    if find_spec("psycopg") is None:
        raise Unavailable(
            f"{KEY} names a PostgreSQL server, and its driver is not installed. "
            "Run pip install 'inaisle[postgres]'."
        )
    return place


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


def key_file(settings: Settings) -> Path:
    """Return the file of the key of all secrets; processes on one database have the same."""
    return settings.offers.secret_key or settings.site.data / "secret.key"


def name_of(place: Place) -> str:
    """Return what to call the place in messages: never with its password."""
    if isinstance(place, Path):
        return str(place)
    name = url_of(place).render_as_string(hide_password=True)
    return f"{name} of {place.tenant}" if isinstance(place, TenantPlace) else name
