"""Change the database beside a running service, in one transaction.

Layer: doors. Takes: settings, and what is to be done. Gives: its result to the commands that keep
keys and users.
"""

from collections.abc import Callable
from typing import TypeVar

from inaisle.database.erasure_list import existing_database
from inaisle.settings import Settings
from offers.ports import UnitOfWork
from offers.storage.writer import Writer

T = TypeVar("T")


def write_beside(settings: Settings, act: Callable[[UnitOfWork], T]) -> T:
    """Do something in the database that is there; `Unavailable` where there is none."""
    writer = Writer(existing_database(settings))
    try:
        return writer.run(act)
    finally:
        writer.close()
