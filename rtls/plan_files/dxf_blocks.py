"""Count what a DXF would be once its blocks are opened, before one of them is.

Layer: rules. Takes: a document of ezdxf. Gives: nothing, or `InvalidPlanFile`, to
rtls.plan_files.dxf_drawing.

A block may hold blocks: ten levels of ten each are ten thousand million things in a file of two
kilobytes. Each block is counted once, so the count itself takes no longer than the file is long.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from rtls.model.errors import InvalidPlanFile
from rtls.plan_files.limits import DEPTH_MAX, MARKS_MAX

if TYPE_CHECKING:
    from ezdxf.document import Drawing
    from ezdxf.entities.dxfentity import DXFEntity
    from ezdxf.entities.insert import Insert

OPEN: Final = -1
"""in place of a count, while a block is being counted"""


def check_blocks(document: "Drawing", *, source: str) -> None:
    """Refuse a drawing that would be too large with its blocks opened, or would have no end."""
    _Count(document, source).of(document.modelspace(), depth=0)


class _Count:
    """Counts the things in blocks, each block once."""

    def __init__(self, document: "Drawing", source: str) -> None:
        self._document = document
        self._source = source
        self._known: dict[str, int] = {}

    def of(self, entities: "Iterable[DXFEntity]", *, depth: int) -> int:
        from ezdxf.entities.insert import Insert

        count = 0
        for entity in entities:
            count += 1
            if isinstance(entity, Insert):
                count += max(1, entity.mcount) * self._of_block(entity, depth + 1)
            if count > MARKS_MAX:
                raise InvalidPlanFile(
                    f"{self._source}: feature {entity.dxftype()} {entity.dxf.handle}: more than "
                    f"{MARKS_MAX:,} things once blocks are opened; expected at most "
                    f"{MARKS_MAX:,}. Purge the drawing, and leave out layers that the map does "
                    "not need."
                )
        return count

    def _of_block(self, insert: "Insert", depth: int) -> int:
        name = str(insert.dxf.get("name", ""))
        known = self._known.get(name, OPEN if depth > DEPTH_MAX else None)
        if known == OPEN:
            raise InvalidPlanFile(
                f"{self._source}: block {name!r} holds itself, or lies more than {DEPTH_MAX} "
                "blocks deep; expected neither. Explode the blocks, or purge the drawing."
            )
        if known is None:
            self._known[name] = OPEN
            block = insert.block()
            known = 0 if block is None else self.of(block, depth=depth)
            self._known[name] = known
        return known
