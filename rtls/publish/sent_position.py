"""Remember in a small file up to where a journal was sent.

Layer: edges. Takes: sequences that the other side has made durable, from the `Forwarder`.
Gives: the last of them back after a restart. Where the file is missing, spoiled or of another
journal, all that the journal still holds is sent once more: copies are known by their ids, a gap
by nobody.
"""

import json
import os
from collections.abc import Callable
from pathlib import Path

from rtls.model.errors import NotDurable
from rtls.publish.journal_segment import sync_folder


class SentPosition:
    """The position of one reader of one journal.

    Parameters
    ----------
    path
        In a folder that is there.
    journal_id
        Of which journal; sequences of another one mean nothing.
    report
        Told in one sentence when the file cannot be believed.
    """

    def __init__(self, path: Path, *, journal_id: str, report: Callable[[str], None]) -> None:
        self._path = path
        self._journal_id = journal_id
        self._report = report

    def load(self) -> int | None:
        """Return the last sequence sent, or None where that is not known."""
        if not self._path.exists():
            return None
        try:
            stored = json.loads(self._path.read_bytes())
            journal_id, sent = stored["journal"], stored["sent"]
        except (OSError, ValueError, TypeError, KeyError) as error:
            self._report(
                f"{self._path} cannot be read ({error!r}); what the journal holds is sent once "
                "more, which costs time alone. Check the disk."
            )
            return None
        is_ours = journal_id == self._journal_id and isinstance(sent, int) and sent >= 0
        return sent if is_ours else None

    def save(self, sent: int) -> None:
        """Replace the position; after the return it survives a crash.

        Raises
        ------
        NotDurable
            If the disk refuses; the old position stands then.
        """
        written = self._path.with_suffix(".writing")
        content = json.dumps({"journal": self._journal_id, "sent": sent}).encode()
        try:
            with written.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            written.replace(self._path)
            sync_folder(self._path.parent)
        except OSError as error:
            raise NotDurable(
                f"the position {sent} could not be written to {self._path} ({error}); expected a "
                "writable folder with free space. Free some space."
            ) from error
