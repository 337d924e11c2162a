"""Read or change the database beside a running service, in one transaction.

Layer: doors. Takes: settings, and what is to be done. Gives: its result to the commands that keep
keys, users and catalogues, and to the replay of decisions.
"""

from collections.abc import Callable
from typing import TypeVar

from inaisle.database.erasure_list import existing_database
from inaisle.settings import Settings
from offers.ports import UnitOfWork
from offers.storage.reader import Reader
from offers.storage.writer import Writer

T = TypeVar("T")


def write_beside(settings: Settings, act: Callable[[UnitOfWork], T]) -> T:
    """Do something in the database that is there; `Unavailable` where there is none."""
    writer = Writer(existing_database(settings))
    try:
        return writer.run(act)
    finally:
        writer.close()


def read_beside(settings: Settings, ask: Callable[[UnitOfWork], T]) -> T:
    """Ask the database that is there; `Unavailable` where there is none."""
    reader = Reader(existing_database(settings))
    try:
        return reader.run(ask)
    finally:
        reader.close()
