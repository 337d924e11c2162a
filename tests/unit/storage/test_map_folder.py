"""Drafts and published maps as files: whole or not there, and never two of one number."""

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from rtls.model.errors import InvalidSiteMap, NotDurable
from rtls.model.map_draft import MapDraft, MapRevision
from rtls.model.units import UnixMs
from rtls.storage.site_maps import background_folder
from rtls.storage.site_maps.background_folder import PNG, BackgroundFolder
from rtls.storage.site_maps.map_folder import MapFolder

ABOUT = MapRevision(revision=0, published_at_ms=UnixMs(7), published_by="c", note="first")
PUBLISHING = """
import os, sys
from pathlib import Path
from rtls.model.map_draft import MapRevision
from rtls.storage.site_maps import sealed_file
from rtls.storage.site_maps.map_folder import MapFolder

def killed(path, content):
    path.write_bytes(content[: len(content) // 2])
    os.kill(os.getpid(), 9)

sealed_file.write_durably = killed
about = MapRevision(revision=0, published_at_ms=8, published_by="c", note="second")
folder = MapFolder(Path(sys.argv[1]), report=print)
with folder.alone():
    folder.publish(b"two", about)
"""


@pytest.fixture
def told() -> list[str]:
    return []


@pytest.fixture
def folder(tmp_path: Path, told: list[str]) -> MapFolder:
    return MapFolder(tmp_path, report=told.append)


def test_a_kill_in_the_middle_of_publishing_leaves_the_map_before(
    folder: MapFolder, told: list[str]
) -> None:
    """Half a file must not be a map; and the folder must not stay locked."""
    folder.publish(b"one", ABOUT)
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[3])}
    child = subprocess.run(
        [sys.executable, "-c", PUBLISHING, str(folder.folder)], check=False, env=environment
    )
    assert child.returncode == -signal.SIGKILL
    assert list((folder.folder / "revisions").glob("*.writing"))
    assert [one.content for one in folder.newest_first()] == [b"one"]
    assert not told
    with folder.alone():
        assert folder.publish(b"three", ABOUT).revision == 2
    assert next(folder.newest_first()).content == b"three"


def test_many_who_publish_at_once_get_a_number_each(folder: MapFolder) -> None:
    """A revision is never changed, not even by one that was published in the same instant."""

    def publish(number: int) -> None:
        with MapFolder(folder.folder, report=print).alone():
            folder.publish(b"%d" % number, ABOUT)

    threads = [threading.Thread(target=publish, args=(number,)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10.0)
    assert [one.revision for one in folder.revisions()] == list(range(12, 0, -1))
    contents = {one.content for one in folder.newest_first()}
    assert contents == {b"%d" % number for number in range(12)}


def test_every_damaged_byte_of_a_revision_is_noticed(folder: MapFolder, told: list[str]) -> None:
    """A disk that lies must not move a shelf."""
    folder.publish(b"one", ABOUT)
    path = folder.folder / "revisions" / "000001.json"
    sound = path.read_bytes()
    for place in range(0, len(sound), 5):
        damaged = bytearray(sound)
        damaged[place] ^= 0x04
        path.write_bytes(bytes(damaged))
        # A changed word of the head may still be one; what it is about is the content.
        assert [one.content for one in folder.newest_first()] in ([], [b"one"])
    path.write_bytes(sound[:-1])
    told.clear()
    assert list(folder.newest_first()) == []
    assert "it is damaged" in told[0]


def test_a_disk_that_refuses_leaves_what_was_there(folder: MapFolder) -> None:
    draft = MapDraft(version=1, based_on=0, document={"a": 1})
    folder.save_draft(draft)
    (folder.folder / "draft.json.writing").mkdir()
    with pytest.raises(NotDurable, match="free space"):
        folder.save_draft(MapDraft(version=2, based_on=0, document={"a": 2}))
    assert folder.draft() == draft


def test_pictures_are_bounded_and_those_in_use_stay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each import brings a picture; a year of them must not fill the disk."""
    monkeypatch.setattr(background_folder, "PICTURES_MAX", 3)
    pictures = BackgroundFolder(tmp_path)
    first = pictures.keep(PNG + b"0", shown=())
    assert pictures.keep(PNG + b"0", shown=()) == first
    for number in range(1, 6):
        pictures.keep(PNG + b"%d" % number, shown=[first])
    assert pictures.read(first) == PNG + b"0"
    assert len(list(tmp_path.iterdir())) == 3
    shown = [path.stem for path in tmp_path.iterdir()]
    with pytest.raises(InvalidSiteMap, match="Remove backgrounds"):
        pictures.keep(PNG + b"more", shown=shown)
    with pytest.raises(InvalidSiteMap, match="expected a PNG"):
        pictures.keep(b"<svg onload='alert(1)'>", shown=())
    with pytest.raises(InvalidSiteMap, match="expected 32 of 0-9"):
        pictures.read("../draft")
