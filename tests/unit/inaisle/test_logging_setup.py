"""Logging: one pipeline, no person in it."""

import io
import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from inaisle.logging_setup import set_up_logging
from inaisle.settings_sections import LogSection


@pytest.fixture(autouse=True)
def logging_as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    yield
    root.handlers, _ = handlers, root.setLevel(level)
    structlog.reset_defaults()


def logged(**section: str) -> io.StringIO:
    stream = io.StringIO()
    set_up_logging(LogSection.model_validate(section), stream=stream)
    return stream


def test_our_lines_and_a_librarys_lines_come_out_alike() -> None:
    """A log that is half JSON is no JSON."""
    stream = logged(format="json")
    structlog.get_logger("ours").info("started", port=1)
    logging.getLogger("theirs").warning("low disk: %d", 3)
    ours, theirs = (json.loads(line) for line in stream.getvalue().splitlines())
    assert (ours["event"], ours["port"], ours["level"]) == ("started", 1, "info")
    assert (theirs["event"], theirs["level"], theirs["logger"]) == (
        "low disk: 3",
        "warning",
        "theirs",
    )


def test_no_person_is_in_the_log() -> None:
    """A tag id at INFO lets whoever reads the log follow a shopper through the shop."""
    stream = logged(format="json")
    structlog.get_logger("ours").info("paired", tag="tag:0d13", email="a@b.de", zone="dowels")
    logging.getLogger("theirs").info("mail to %s about app:9f3c", "jo@example.org")
    structlog.get_logger("ours").error("bad key till_abcdefgh12345 of tag:0d13")
    text = stream.getvalue()
    for canary in ("0d13", "a@b.de", "jo@example.org", "9f3c", "abcdefgh12345"):
        assert canary not in text
    assert "dowels" in text


def test_the_level_holds_for_both() -> None:
    """Debug lines cost time in the loop."""
    stream = logged(format="json", level="warning")
    structlog.get_logger("ours").info("chatter")
    logging.getLogger("theirs").info("chatter")
    assert stream.getvalue() == ""


def test_an_exception_is_logged_with_its_trace() -> None:
    """A crash at night is read in the morning."""
    stream = logged(format="json")
    try:
        int("on purpose")
    except ValueError:
        structlog.get_logger("ours").exception("broke")
    assert "ValueError: invalid literal" in json.loads(stream.getvalue())["exception"]
