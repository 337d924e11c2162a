"""Read a plan file of any make.

Layer: rules. Takes: the bytes of a file and how it is to be read. Gives: an `ImportedPlan` to the
floor studio and `inaisle site-map import`. Files of strangers are read in a process of its own
(inaisle.site.plan_desk), since the libraries for PDF, DXF and pictures are larger than we can vouch
for.
"""

from collections.abc import Callable, Mapping
from typing import Final

from rtls.model.errors import InvalidGeometry, InvalidPlanFile
from rtls.model.imported_plan import ImportedPlan, PlanFormat, PlanRequest
from rtls.plan_files.dxf_drawing import read_dxf
from rtls.plan_files.geojson_plan import read_geojson
from rtls.plan_files.imdf_reading import read_imdf
from rtls.plan_files.limits import check_file_size
from rtls.plan_files.pdf_page import read_pdf
from rtls.plan_files.picture_file import read_picture
from rtls.plan_files.svg_drawing import read_svg

Reader = Callable[[bytes, PlanRequest], ImportedPlan]
READERS: Final[Mapping[PlanFormat, Reader]] = {
    PlanFormat.IMAGE: read_picture,
    PlanFormat.PDF: read_pdf,
    PlanFormat.DXF: read_dxf,
    PlanFormat.SVG: read_svg,
    PlanFormat.GEOJSON: read_geojson,
    PlanFormat.IMDF: read_imdf,
}


def read_plan_file(content: bytes, request: PlanRequest) -> ImportedPlan:
    """Return what a plan file says; `MissingExtra` if the extra ``plans`` is not installed.

    Raises
    ------
    InvalidPlanFile
        If it is too big, damaged, or not what ``request.form`` says; names file, feature and
        remedy.
    """
    check_file_size(content, source=request.source)
    try:
        return READERS[request.form](content, request)
    except (InvalidPlanFile, InvalidGeometry) as error:
        said = str(error)
        is_named = said.startswith(f"{request.source}: ")
        raise InvalidPlanFile(said if is_named else f"{request.source}: {said}") from error
