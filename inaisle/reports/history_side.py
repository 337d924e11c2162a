"""Open the position history: its writer for the locating half, its reader for reports.

Layer: doors. Takes: settings. Gives: a `History` to inaisle.service.locating_loop, and a
`FootfallSource` to those who make reports. The libraries behind it are an extra; without them there
is no history, and all else is as it was.
"""

import importlib.util
import secrets
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

import structlog
from typing_extensions import override

from inaisle.clock import Clock
from inaisle.errors import InvalidSettings
from inaisle.settings import Settings
from rtls.engine_contract import EngineOutput
from rtls.model.site_map import SiteMap
from rtls.model.visit import VisitRecord
from rtls.ports import FootfallSource, PlaybackSource
from rtls.storage.history.counted_tags import CountedTags

if TYPE_CHECKING:
    from rtls.storage.history.history_recorder import HistoryRecorder
    from rtls.storage.history.salt_book import SaltBook

log = structlog.get_logger("inaisle.history")
LIBRARIES: Final = ("duckdb", "pyarrow")


class History(Protocol):
    """What the locating loop hands its fixes and visits to, beside the way to offers."""

    def take(self, output: EngineOutput, records: Sequence[VisitRecord]) -> None:
        """Take what one batch gave. Never waits, never fails."""
        ...

    def take_records(self, records: Sequence[VisitRecord]) -> None:
        """Take what late readings have changed."""
        ...

    def start(self) -> None:
        """Begin to write."""
        ...

    def close(self) -> None:
        """Write what is known, and end; safe before `start`."""
        ...

    def trouble(self) -> str | None:
        """Return why nothing is written, or None."""
        ...

    def counters(self) -> Mapping[str, int]:
        """Return what was written and what was not, by name."""
        ...


class NoHistory(History):
    """Where no history is wanted, or its libraries are not installed."""

    @override
    def take(self, output: EngineOutput, records: Sequence[VisitRecord]) -> None:
        """Forget it."""

    @override
    def take_records(self, records: Sequence[VisitRecord]) -> None:
        """Forget it."""

    @override
    def start(self) -> None:
        """Do nothing."""

    @override
    def close(self) -> None:
        """Do nothing."""

    @override
    def trouble(self) -> str | None:
        """Return None: nothing is missed."""
        return None

    @override
    def counters(self) -> Mapping[str, int]:
        """Return none."""
        return {}


def is_history_wanted(settings: Settings) -> bool:
    """Return whether a history is kept: as the settings say, else where its libraries are there.

    Raises
    ------
    InvalidSettings
        If it is asked for and the libraries are missing.
    """
    wanted = settings.history.enabled
    if wanted and not has_insight():
        raise InvalidSettings(
            "history.enabled is true, and the libraries of the history are not installed; "
            'expected both. Install them: pip install "inaisle[insight]".'
        )
    return has_insight() if wanted is None else wanted


def has_insight() -> bool:
    """Return whether the libraries of the extra `insight` that the history needs are installed."""
    return all(importlib.util.find_spec(name) is not None for name in LIBRARIES)


def history_folder(settings: Settings) -> Path:
    """Return where the history lies."""
    return settings.history.folder or settings.site.data / "history"


def open_history(
    settings: Settings, *, site_map: SiteMap, counted: CountedTags, clock: Clock
) -> History:
    """Return the writer of the history, or one that forgets."""
    if not is_history_wanted(settings):
        return NoHistory()
    return open_recorder(settings, site_map=site_map, counted=counted, clock=clock)


def open_recorder(
    settings: Settings, *, site_map: SiteMap, counted: CountedTags, clock: Clock
) -> "HistoryRecorder":
    """Return the writer of the history, which a simulated day drives without its thread."""
    from rtls.storage.history.history_chores import HistoryChores
    from rtls.storage.history.history_log import HistoryLog, LogSettings
    from rtls.storage.history.history_recorder import HistoryRecorder
    from rtls.storage.history.retention import Keep

    section, folder = settings.history, history_folder(settings)
    salts = open_salts(settings.site.data / "salts", site_map)
    fixes_days = section.retention_days if section.fixes_days is None else section.fixes_days
    return HistoryRecorder(
        HistoryLog(
            folder,
            site_map=site_map,
            counted=counted,
            salts=salts,
            settings=LogSettings(
                file_ms=section.file_s * 1_000,
                settle_ms=settings.reception.revise_max_ms + 5_000,
            ),
        ),
        HistoryChores(
            folder,
            site_map=site_map,
            salts=salts,
            keep=Keep(
                fixes_days=min(fixes_days, section.retention_days),
                visits_days=section.retention_days,
            ),
            report=log.warning,
        ),
        now_ms=clock.now_ms,
        report=log.warning,
    )


def open_salts(folder: Path | None, site_map: SiteMap) -> "SaltBook":
    """Return the salts of a site; without a folder they live as long as the process."""
    from rtls.storage.history.salt_book import SaltBook

    return SaltBook(
        folder, site=site_map.site, time_zone=site_map.time_zone, new_salt=secrets.token_bytes
    )


def open_playback(settings: Settings, *, site_map: SiteMap) -> PlaybackSource:
    """Return the history as a map plays it back; its libraries must be there (`has_insight`)."""
    from rtls.storage.history.history_asking import ReaderSettings
    from rtls.storage.history.playback_reader import PlaybackReader

    return PlaybackReader(
        history_folder(settings),
        site=site_map.site,
        time_zone=site_map.time_zone,
        report=log.warning,
        settings=ReaderSettings(memory_mib=settings.history.memory_mib),
    )


def open_history_reader(settings: Settings) -> FootfallSource:
    """Return the history as reports read it.

    Raises
    ------
    InvalidSettings
        If the libraries are missing.
    """
    if not has_insight():
        raise InvalidSettings(
            "reports need the libraries of the history, which are not installed; expected the "
            'extra insight. Install it: pip install "inaisle[insight]".'
        )
    from rtls.storage.history.history_asking import ReaderSettings
    from rtls.storage.history.history_reader import HistoryReader

    return HistoryReader(
        history_folder(settings),
        report=log.warning,
        settings=ReaderSettings(memory_mib=settings.history.memory_mib),
    )
