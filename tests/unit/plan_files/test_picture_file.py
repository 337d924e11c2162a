"""read_plan_file on pictures and PDF: pixels to draw over, and nothing else of the file."""

import io
import time

import pytest
from PIL import Image, PngImagePlugin

from rtls.model.errors import InvalidPlanFile
from rtls.model.imported_plan import PlanFormat, PlanUnits
from rtls.plan_files.limits import FILE_BYTES_MAX, PICTURE_SIDE_PX
from rtls.plan_files.plan_json import plan_json
from rtls.plan_files.plan_reading import read_plan_file
from tests.unit.plan_files.plan_samples import pdf, picture, png_that_says, request_for

IMAGE = request_for(PlanFormat.IMAGE, source="plan.png")


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP"])
def test_a_picture_becomes_a_png_to_draw_over(form: str) -> None:
    """The studio shows one format, whatever the planner was sent."""
    plan = read_plan_file(picture(300, 200, form=form), IMAGE)
    assert plan.picture is not None
    assert Image.open(io.BytesIO(plan.picture.png)).size == (300, 200)
    assert (plan.units, plan.extent, plan.features) == (
        PlanUnits.PIXEL,
        (0.0, 0.0, 300.0, 200.0),
        (),
    )
    assert plan_json(plan, background="b1")["background"] == {
        "background": "b1",
        "width_px": 300,
        "height_px": 200,
    }


def test_a_large_picture_is_made_smaller_and_says_so() -> None:
    """A scan of 600 dots to the inch would make the studio slow and show no more."""
    plan = read_plan_file(picture(2 * PICTURE_SIDE_PX, 100), IMAGE)
    assert plan.picture is not None
    assert (plan.picture.width_px, plan.picture.height_px) == (PICTURE_SIDE_PX, 50)
    assert "made smaller" in plan.warnings[0]


def test_what_is_transparent_becomes_paper() -> None:
    """Black lines on nothing would be black on black in a dark theme."""
    plan = read_plan_file(picture(4, 4, mode="RGBA"), IMAGE)
    assert plan.picture is not None
    assert Image.open(io.BytesIO(plan.picture.png)).getpixel((0, 0)) == (255, 255, 255)


def test_only_pixels_are_kept() -> None:
    """A photo says where it was taken; a file may hide a page behind its picture."""
    info = PngImagePlugin.PngInfo()
    info.add_text("Comment", "<script>alert(1)</script>")
    content = picture(4, 4, pnginfo=info) + b"<html><script>alert(2)</script>"
    plan = read_plan_file(content, IMAGE)
    assert plan.picture is not None
    assert b"script" in content
    assert b"script" not in plan.picture.png


@pytest.mark.parametrize("size", [(30_000, 30_000), (10_000, 5_001), (2**31 - 1, 1)])
def test_a_picture_of_too_many_pixels_is_not_opened(size: tuple[int, int]) -> None:
    """A few kilobytes can say that they are a gigabyte; a PNG of nothing but black is as small."""
    content = png_that_says(*size)
    begun = time.process_time()
    with pytest.raises(InvalidPlanFile, match=r"plan\.png: .*pixels"):
        read_plan_file(content, IMAGE)
    assert time.process_time() - begun < 2.0


@pytest.mark.parametrize(
    "content",
    [b"GIF89a" + bytes(50), b"<svg/>", picture(9, 9)[:40], png_that_says(9_000, 5_000)[:2_000]],
    ids=["gif", "svg", "cut", "cut in the pixels"],
)
def test_what_is_no_picture_is_refused_by_name(content: bytes) -> None:
    with pytest.raises(InvalidPlanFile, match=r"plan\.png: .*expected PNG, JPEG or WebP"):
        read_plan_file(content, IMAGE)


@pytest.mark.parametrize("content", [b"", bytes(FILE_BYTES_MAX + 1)], ids=["none", "too much"])
@pytest.mark.parametrize("form", PlanFormat)
def test_a_file_of_no_or_too_many_bytes_is_not_looked_at(content: bytes, form: PlanFormat) -> None:
    with pytest.raises(InvalidPlanFile, match=r"plan: the file (is empty|has 10,485,761 bytes)"):
        read_plan_file(content, request_for(form))


def test_a_page_of_a_pdf_becomes_a_picture() -> None:
    """Architects send PDF; 200 dots to the inch make a line of a quarter millimetre two pixels."""
    plan = read_plan_file(pdf((72, 144), (144, 72)), request_for(PlanFormat.PDF, page=2))
    assert plan.pages == 2
    assert plan.picture is not None
    assert (plan.picture.width_px, plan.picture.height_px) == (400, 200)


@pytest.mark.parametrize(
    ("content", "number", "says"),
    [
        (b"%PDF-1.7 nothing", 1, "no PDF that can be read"),
        (pdf((72, 72)), 2, "page is 2; expected 1 to 1"),
        (pdf((72, 72)), 0, "page is 0"),
        (pdf((72, 72)).replace(b"72.0 72.0 ]", b"9999 99999]"), 1, "points large"),
    ],
)
def test_a_pdf_that_cannot_be_drawn_is_refused(content: bytes, number: int, says: str) -> None:
    with pytest.raises(InvalidPlanFile, match=f"a.pdf: .*{says}"):
        read_plan_file(content, request_for(PlanFormat.PDF, source="a.pdf", page=number))
