"""run_apart: heavy work in a process of its own, which never outlives its use."""

import os
import time
from functools import partial

import pytest

from inaisle import apart
from inaisle.apart import run_apart
from inaisle.errors import PartBroke
from offers.model.catalogue.catalogue_file import read_catalogue
from offers.model.errors import InvalidCatalogue


def test_the_answer_comes_from_another_process() -> None:
    """Else the event loop would share its interpreter with the work."""
    assert run_apart(os.getpid) != os.getpid()


def test_an_error_of_ours_is_raised_here_as_it_was_there() -> None:
    """The faults of a catalogue are told to whom it concerns, line by line."""
    with pytest.raises(InvalidCatalogue, match="shop has no product"):
        run_apart(partial(read_catalogue, b"sku,name_de\n", source="shop"))


def test_a_process_that_dies_is_told() -> None:
    """The kernel ends it where memory runs out, without a word."""
    with pytest.raises(PartBroke, match=r"ended without an answer.*memory left"):
        run_apart(partial(os._exit, 1))


def test_a_process_that_hangs_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else it would hold up every later catalogue."""
    monkeypatch.setattr(apart, "SECONDS_MAX", 0.5)
    with pytest.raises(PartBroke, match=r"no answer within 0\.5 s"):
        run_apart(partial(time.sleep, 60.0))


def test_what_nobody_needs_any_more_is_given_up() -> None:
    """A service that stops has four seconds."""
    began = time.monotonic()
    with pytest.raises(PartBroke, match="given up"):
        run_apart(partial(time.sleep, 60.0), is_given_up=lambda: True)
    assert time.monotonic() - began < 10.0
