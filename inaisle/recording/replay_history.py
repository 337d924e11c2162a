"""Write the history of a recording, as the service writes that of a shop.

Layer: doors. Takes: what the engine gave of a recording. Gives: a folder of Parquet files that
reports read (docs/decisions/0026). Tags of a recording are nobody's, so that all of them count;
each session is a walk of its own, and its tags are visitors of their own.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import structlog

from inaisle.errors import InvalidSettings
from inaisle.reports.history_side import has_insight, open_salts
from rtls.engine import EngineOutput
from rtls.model.errors import InvalidRecording, NotDurable
from rtls.model.site_map import SiteMap
from rtls.model.units import UnixMs
from rtls.model.visit import VisitRecord
from rtls.storage.history.counted_tags import CountedTags
from rtls.visit_analysis import VisitAnalysis

if TYPE_CHECKING:
    from rtls.storage.history.fix_sampler import FixSampler
    from rtls.storage.history.history_log import HistoryLog

log = structlog.get_logger("inaisle.recording.replay")


class ReplayHistory:
    """The history under construction.

    Parameters
    ----------
    folder
        As of the service: `site=…/day=…` are made below it.
    site_map
        Of the recording, with its zones where visits are wanted.
    """

    def __init__(self, folder: Path, site_map: SiteMap) -> None:
        self._folder = folder
        self._site_map = site_map
        self._analysis = VisitAnalysis(site_map)
        self._session: tuple[HistoryLog, FixSampler] | None = None
        self._now_ms = UnixMs(0)
        self.rows = 0

    def begin(self) -> None:
        """Begin a session, which knows nothing of the one before."""
        from rtls.storage.history.fix_sampler import FixSampler
        from rtls.storage.history.history_log import HistoryLog, LogSettings

        self.end()
        self._analysis.begin_anew()
        session = HistoryLog(
            self._folder,
            site_map=self._site_map,
            counted=CountedTags.all(),
            salts=open_salts(None, self._site_map),
            settings=LogSettings(file_ms=24 * 3_600_000),
        )
        session.begin()
        self._session = (session, FixSampler())

    def take(self, output: EngineOutput) -> None:
        """Write what has become known by the end of one epoch."""
        assert self._session is not None
        session, sampler = self._session
        self._now_ms = output.fixes.at_ms
        fixes = sampler.take(output)
        if fixes is not None:
            session.take_fixes(fixes, now_ms=self._now_ms)
        visits: list[VisitRecord] = [*output.passes, *self._analysis.take(output)]
        session.take_visits(visits, now_ms=self._now_ms)
        session.turn(now_ms=self._now_ms)

    def end(self) -> None:
        """Finish the files of a session, if one was begun."""
        if self._session is not None:
            session, _ = self._session
            self._session = None
            session.close(now_ms=self._now_ms)
            self.rows += session.counters["fixes"] + session.counters["visits"]

    def compact(self) -> None:
        """Make one file of each table and day."""
        from rtls.storage.history.compaction import compact
        from rtls.storage.history.history_folder import Table, days_there

        for _, within in days_there(self._folder, self._site_map.site):
            for table in Table:
                for reason in compact(within, table).damaged:
                    log.warning("a file of the history was set aside", reason=reason)


@contextmanager
def replay_history(folder: Path, *, site_map: SiteMap) -> Iterator[ReplayHistory]:
    """Open a history for a recording.

    Parameters
    ----------
    folder
        Where it goes; what is there already stays.
    site_map
        Of the recording.

    Raises
    ------
    InvalidRecording
        If the folder cannot be written.
    InvalidSettings
        If the libraries of the history are not installed.
    """
    if not has_insight():
        raise InvalidSettings(
            "--history needs libraries that are not installed; expected the extra insight. "
            'Install it: pip install "inaisle[insight]".'
        )
    history = ReplayHistory(folder, site_map)
    try:
        yield history
        history.end()
        history.compact()
    except NotDurable as error:
        raise InvalidRecording(f"{folder}: cannot be written ({error}).") from error
