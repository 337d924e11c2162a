"""What the archive asks of a place for objects: a folder, memory, and an object store.

``INAISLE_TEST_S3=s3://bucket/path`` runs it against a store of the S3 API, found and entered as its
clients do it (``AWS_ENDPOINT_URL``, ``AWS_ACCESS_KEY_ID``, …); the path should be empty.
"""

import os
import secrets
from pathlib import Path

import fsspec  # type: ignore[import-untyped]
import pytest

from rtls.model.errors import InvalidConnection, NotDurable
from rtls.storage.archive.object_folder import ObjectFolder

OTHER_STORE = "INAISLE_TEST_S3"


@pytest.fixture(params=["folder", "memory", "s3"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    own = secrets.token_hex(8)
    if request.param == "folder":
        return str(tmp_path / own)
    if request.param == "memory":
        return f"memory://{own}"
    store = os.environ.get(OTHER_STORE)
    if not store:
        pytest.skip(f"{OTHER_STORE} names no object store")
    return f"{store.rstrip('/')}/{own}"


def test_an_object_is_replaced_whole(url: str) -> None:
    """Who reads meanwhile gets the old one or the new one, never both."""
    objects = ObjectFolder(url)
    objects.put("day/one", b"first" * 100_000)
    objects.put("day/one", b"second")
    assert objects.get(["day/one"]) == {"day/one": b"second"}


def test_another_process_sees_what_was_written(url: str) -> None:
    """A listing that is remembered would hide the other archive's objects."""
    here, there = ObjectFolder(url), ObjectFolder(url)
    assert here.names("day") == []
    there.put("day/b", b"2")
    there.put("day/a", b"1")
    there.put("night/c", b"3")
    assert here.names("day") == ["a", "b"]
    assert here.get(["day/a", "day/none", "night/c"]) == {"day/a": b"1", "night/c": b"3"}


def test_what_is_gone_is_gone_and_counted_once(url: str) -> None:
    """Two processes may do the same chore."""
    objects = ObjectFolder(url)
    objects.put("day/a", b"1")
    objects.put("day/b", b"2")
    assert objects.remove(["day/a", "day/b"]) == 2
    assert objects.names("day") == []
    assert objects.get(["day/a"]) == {}
    objects.remove(["day/a"])  # nobody is told: it is gone


def test_a_store_that_does_not_answer_is_told_and_tried_again(
    free_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The log keeps what comes, so nothing may look as if it were written."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{free_port}")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "nobody")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "nothing")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    fsspec.get_filesystem_class("s3").clear_instance_cache()  # it remembers where it asked before
    objects = ObjectFolder("s3://nowhere/chain")
    with pytest.raises(NotDurable, match=r"day/one in s3://nowhere/chain .* tried again"):
        objects.put("day/one", b"1")
    with pytest.raises(NotDurable):
        objects.get(["day/one"])
    with pytest.raises(NotDurable):
        objects.names("day")


def test_no_kind_of_place_is_said_at_once() -> None:
    """A typing error is no store that is away."""
    with pytest.raises(InvalidConnection, match="s4"):
        ObjectFolder("s4://bucket/path")
