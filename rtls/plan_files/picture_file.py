"""Read a picture of a plan and make it anew as PNG, no larger than a screen can use.

Layer: rules. Takes: PNG, JPEG or WebP of anybody. Gives: an `ImportedPlan` with a picture and
without features. What is kept are pixels: no metadata, no place where the photo was taken, nothing
that hides behind the end of the picture.
"""

import io
from typing import TYPE_CHECKING, Final

from rtls.model.errors import InvalidPlanFile
from rtls.model.imported_plan import ImportedPlan, PlanPicture, PlanRequest, PlanUnits
from rtls.plan_files.extra_library import needed_for
from rtls.plan_files.limits import PICTURE_SIDE_PX, PIXELS_MAX

if TYPE_CHECKING:
    from PIL import Image

FORMATS: Final = ("PNG", "JPEG", "WEBP")
WHITE: Final = (255, 255, 255)


def read_picture(content: bytes, request: PlanRequest) -> ImportedPlan:
    """Return the picture of a plan; its pixels are the units.

    Raises
    ------
    InvalidPlanFile
        If it is no picture that we read, has too many pixels, or is damaged.
    """
    with needed_for("A picture of a plan"):
        from PIL import Image, ImageOps
    try:
        with Image.open(io.BytesIO(content), formats=FORMATS) as image:
            trouble = _too_large(image.size)
            if trouble is None:
                image.draft("RGB", (PICTURE_SIDE_PX, PICTURE_SIDE_PX))  # JPEG: not opened in full
                return plan_of_picture(ImageOps.exif_transpose(image))
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        trouble = f"too many pixels ({error}); expected at most {PIXELS_MAX:,}. Make it smaller."
    except (OSError, SyntaxError, ValueError, EOFError) as error:
        trouble = (
            f"no picture that can be read ({error}); expected PNG, JPEG or WebP. Open it in a "
            "picture editor and save it anew."
        )
    raise InvalidPlanFile(f"{request.source}: {trouble}")


def plan_of_picture(image: "Image.Image") -> ImportedPlan:
    """Return a plan of pixels alone, made smaller where it is larger than `PICTURE_SIDE_PX`."""
    from PIL import Image

    warnings = []
    if max(image.size) > PICTURE_SIDE_PX:
        before = image.size
        image.thumbnail((PICTURE_SIDE_PX, PICTURE_SIDE_PX))
        warnings.append(
            f"the picture had {before[0]} × {before[1]} pixels and was made smaller, to "
            f"{image.size[0]} × {image.size[1]}."
        )
    solid = image.convert("RGBA") if "transparency" in image.info else image
    if solid.mode in {"RGBA", "LA", "PA"}:
        paper = Image.new("RGB", solid.size, WHITE)
        paper.paste(solid, mask=solid.getchannel("A"))
        solid = paper
    file = io.BytesIO()
    solid.convert("RGB").save(file, "PNG")
    width, height = solid.size
    return ImportedPlan(
        features=(),
        units=PlanUnits.PIXEL,
        extent=(0.0, 0.0, float(width), float(height)),
        picture=PlanPicture(png=file.getvalue(), width_px=width, height_px=height),
        warnings=tuple(warnings),
    )


def _too_large(size: tuple[int, int]) -> str | None:
    width, height = size
    if width * height <= PIXELS_MAX:
        return None
    return (
        f"the picture has {width} × {height} pixels; expected at most {PIXELS_MAX:,} in all. "
        "Make it smaller."
    )
