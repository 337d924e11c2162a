"""run_apart: heavy work in a process of its own, which never outlives its use."""

import os
import resource
import time
from functools import partial

import pytest

from inaisle.apart import Bounds, run_apart
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


def test_a_process_that_hangs_is_ended() -> None:
    """Else it would hold up every later catalogue."""
    began = time.monotonic()
    with pytest.raises(PartBroke, match=r"no answer within 0\.5 s"):
        run_apart(partial(time.sleep, 60.0), bounds=Bounds(seconds=0.5))
    assert time.monotonic() - began < 20.0


def test_what_nobody_needs_any_more_is_given_up() -> None:
    """A service that stops has four seconds."""
    began = time.monotonic()
    with pytest.raises(PartBroke, match="given up"):
        run_apart(partial(time.sleep, 60.0), is_given_up=lambda: True)
    assert time.monotonic() - began < 10.0


def test_work_apart_is_held_to_its_memory() -> None:
    """The bound is on top of what a process has at its start."""
    bounds = Bounds(memory_bytes=64 * 1024**2)
    assert len(run_apart(partial(bytes, 16 * 1024**2), bounds=bounds)) == 16 * 1024**2
    with pytest.raises(MemoryError):
        run_apart(partial(bytes, 128 * 1024**2), bounds=bounds)


def test_work_apart_has_only_so_much_processor_time() -> None:
    """Nobody may be left to end it by the clock: who started it can have been killed himself."""
    work = partial(resource.getrlimit, resource.RLIMIT_CPU)
    assert run_apart(work, bounds=Bounds(busy_seconds=1.5)) == (2, 2)
