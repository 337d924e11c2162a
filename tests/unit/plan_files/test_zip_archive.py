"""files_in_zip: a zip of strangers is looked at before it is opened."""

import io
import json
import random
import struct
import time
import zipfile

import pytest

from rtls.model.errors import InvalidPlanFile
from rtls.model.imported_plan import PlanFormat
from rtls.plan_files.limits import ENTRIES_MAX, EXPANDED_BYTES_MAX, RATIO_MAX
from rtls.plan_files.plan_reading import read_plan_file
from rtls.plan_files.zip_archive import files_in_zip
from tests.unit.plan_files.plan_samples import request_for
from tests.unit.plan_files.zip_samples import forty_two, zipped

WANTED = {"a.json"}
MEBIBYTE = 1024**2


def read(content: bytes) -> dict[str, bytes]:
    return dict(files_in_zip(content, WANTED, source="x.zip"))


def overlapping(count: int) -> bytes:
    """Return a zip with one entry, and a directory that names it many times (Fifield 2019)."""
    content = zipped({"a.json": random.Random(1).randbytes(60_000)})
    start = content.index(b"PK\x01\x02")
    end = content.index(b"PK\x05\x06")
    directory = content[start:end] * count
    tail = struct.pack("<4sHHHHIIH", b"PK\x05\x06", 0, 0, count, count, len(directory), start, 0)
    return content[:start] + directory + tail


def test_the_files_that_are_wanted_come_out_of_whatever_folder() -> None:
    """A Mac packs the folder, Windows its contents."""
    assert read(zipped({"plan/a.json": b"1", "plan/readme.txt": b"2"})) == {"a.json": b"1"}


@pytest.mark.parametrize("size", [RATIO_MAX * 1_000, 1])
def test_a_plan_may_be_packed_well(size: int) -> None:
    """GeoJSON packs to a tenth; a hundredth is more than any plan gains."""
    content = json.dumps([n * 7_919 % 100_000 for n in range(size // 10 + 1)]).encode()
    assert read(zipped({"a.json": content})) == {"a.json": content}


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (zipped({"a.json": bytes(5 * MEBIBYTE)}), "would grow more than 100 times"),
        (
            zipped({f"{n}.bin": bytes(10 * MEBIBYTE) for n in range(6)}),
            f"expected at most {EXPANDED_BYTES_MAX:,}",
        ),
        (forty_two(3), "is packed itself"),
        (zipped({"a.json": zipped({"b": b""})}), "is a zip; expected files"),
        (zipped({f"{n}": b"" for n in range(ENTRIES_MAX + 1)}), "1,001 entries"),
        (overlapping(2), "in the zip twice"),
        (overlapping(2_000), "2,000 entries"),
        (zipped({"/etc/a.json": b"1"}), "leads out of the zip"),
        (zipped({"x/../../a.json": b"1"}), "leads out of the zip"),
        (zipped({"c:a.json": b"1"}), "leads out of the zip"),
        (zipped({"x/a.json": b"1", "a.json": b"2"}), "a.json is in the zip twice"),
        (zipped({"a.json": b"1"}, method=zipfile.ZIP_BZIP2), "packed in a rare way"),
        (b"PK\x03\x04 and no more", "no zip that can be read"),
        (zipped({"a.json": b"hello"}, method=0).replace(b"hello", b"jello"), "no zip that can"),
    ],
)
def test_a_zip_that_could_do_harm_is_refused_in_no_time(content: bytes, says: str) -> None:
    """Bombs of all known makes, paths that lead out, and what a scanner would not look into."""
    begun = time.process_time()
    with pytest.raises(InvalidPlanFile, match=r"\Ax\.zip: ") as refused:
        read(content)
    assert says in str(refused.value)
    assert time.process_time() - begun < 2.0


def test_a_backslash_is_a_path_on_some_machines() -> None:
    """Zipfile mends them on Windows only, so the name is put in by hand."""
    content = zipped({"x_a.json": b"1"}).replace(b"x_a.json", b"x\\a.json")
    with pytest.raises(InvalidPlanFile, match="leads out of the zip"):
        read(content)


def test_an_entry_that_lies_about_its_size_is_not_read_to_its_end() -> None:
    """It says ten bytes and holds five mebibytes: ten are read, and the checksum is wrong."""
    content = bytearray(zipped({"a.json": bytes(5 * MEBIBYTE)}))
    directory = content.index(b"PK\x01\x02")
    struct.pack_into("<I", content, directory + 24, 10)
    struct.pack_into("<I", content, 22, 10)
    with pytest.raises(InvalidPlanFile, match="no zip that can be read"):
        read(bytes(content))


def test_an_entry_with_a_password_is_refused() -> None:
    content = bytearray(zipped({"a.json": b"1"}))
    content[content.index(b"PK\x01\x02") + 8] |= 1
    content[6] |= 1
    with pytest.raises(InvalidPlanFile, match=r"entry 'a\.json' is encrypted"):
        read(bytes(content))


def test_the_reader_of_imdf_reads_zips_in_this_way_only() -> None:
    """The bound would else stand in one file and the reading in another."""
    with pytest.raises(InvalidPlanFile, match=r"a\.zip: entry 'manifest\.json' would grow"):
        read_plan_file(
            zipped({"manifest.json": b" " * MEBIBYTE}), request_for(PlanFormat.IMDF, source="a.zip")
        )
    assert zipfile.is_zipfile(io.BytesIO(zipped({})))
