"""Draw a page of a PDF as a picture.

Layer: rules. Takes: a PDF of anybody. Gives: an `ImportedPlan` with a picture and the number of
pages. Nothing of the PDF is run: the library draws, and has no JavaScript in it.
"""

from dataclasses import replace
from typing import Final

from rtls.model.errors import InvalidPlanFile
from rtls.model.imported_plan import ImportedPlan, PlanRequest
from rtls.plan_files.extra_library import needed_for
from rtls.plan_files.limits import PAGES_MAX, PICTURE_SIDE_PX
from rtls.plan_files.picture_file import plan_of_picture

PIXELS_A_POINT_MAX: Final = 200.0 / 72.0
"""200 to the inch: a line of 0.25 mm is two pixels wide"""
POINTS_MAX: Final = 20_000.0
"""seven metres; A0 is 3,370"""


def read_pdf(content: bytes, request: PlanRequest) -> ImportedPlan:
    """Return a page of a PDF as a picture.

    Raises
    ------
    InvalidPlanFile
        If it is no PDF, asks for a password, or has no such page.
    """
    with needed_for("A PDF"):
        import pypdfium2
    try:
        document = pypdfium2.PdfDocument(content)
    except pypdfium2.PdfiumError as error:
        raise InvalidPlanFile(
            f"{request.source}: no PDF that can be read ({error}); expected one without a password."
            " Print it into a new PDF."
        ) from error
    try:
        pages = len(document)
        if not 1 <= request.page <= min(pages, PAGES_MAX):
            raise InvalidPlanFile(
                f"{request.source}: page is {request.page}; expected 1 to {min(pages, PAGES_MAX)}, "
                f"of {pages} in the file. Give another page."
            )
        page = document[request.page - 1]
        scale = _scale(page.get_size(), request)
        plan = plan_of_picture(page.render(scale=scale, may_draw_forms=False).to_pil())
    except pypdfium2.PdfiumError as error:
        raise InvalidPlanFile(
            f"{request.source}: page {request.page} cannot be drawn ({error}); expected one that "
            "can. Print it into a new PDF."
        ) from error
    finally:
        document.close()
    return replace(plan, pages=pages)


def _scale(size: tuple[float, float], request: PlanRequest) -> float:
    """Return pixels for one point, so that the picture is no larger than it may be.

    Raises
    ------
    InvalidPlanFile
        If the page has no size, or that of no sheet of paper.
    """
    longer = max(size)
    if not (min(size) >= 1.0 and longer <= POINTS_MAX):
        raise InvalidPlanFile(
            f"{request.source}: page {request.page} is {size[0]:g} × {size[1]:g} points large; "
            f"expected 1 to {POINTS_MAX:,.0f} either way. Print it onto a sheet of paper."
        )
    return min(PIXELS_A_POINT_MAX, PICTURE_SIDE_PX / (longer + 1.0))
