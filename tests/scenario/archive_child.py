"""A process that archives a chain's log and is killed after its objects are put, before it commits.

Arguments: brokers, prefix of the topics, library, archive, data folder, instant, how many puts.
"""

import os
import signal
import sys
import threading
from dataclasses import dataclass
from pathlib import Path

from inaisle.chain.archive import Archive
from inaisle.settings import Settings
from inaisle.settings_sections import ApiSection, ArchiveSection, ChainSection, SiteSection
from rtls.model.units import UnixMs


@dataclass(frozen=True)
class StoppedClock:
    """A clock that a test has set."""

    at_ms: int
    speed: float = 1.0

    def now_ms(self) -> UnixMs:
        return UnixMs(self.at_ms)

    def sleep(self, seconds: float) -> None:
        raise AssertionError(seconds)


def archive_settings(
    *, brokers: str, prefix: str, library: Path, to: str, data: Path, rows_max: int = 1_000
) -> Settings:
    return Settings(
        api=ApiSection(port=0),
        archive=ArchiveSection(to=to, rows_max=rows_max),
        chain=ChainSection(
            brokers=brokers,
            topic_prefix=prefix,
            sites=library,
            partitions=4,
            session_timeout_ms=6_000,
        ),
        site=SiteSection(data=data),
    )


def main(
    brokers: str, prefix: str, library: str, to: str, data: str, at_ms: str, puts: str
) -> None:
    settings = archive_settings(
        brokers=brokers, prefix=prefix, library=Path(library), to=to, data=Path(data)
    )
    archive = Archive(settings, clock=StoppedClock(int(at_ms)), counts_all=True)
    commit, left = archive.loop.log.commit, [int(puts)]

    def killed(offsets: object) -> None:
        left[0] -= 1
        if left[0] <= 0:
            os.kill(os.getpid(), signal.SIGKILL)
        commit(offsets)

    archive.loop.log.commit = killed
    archive.run(threading.Event(), until_read=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
