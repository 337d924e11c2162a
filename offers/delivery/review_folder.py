"""Keep reviews as files that people open and spreadsheets read.

Layer: edges. Takes: a `Review`. Gives: a page and a table in a folder, each whole or not at all,
and as many of them as are to be kept. A page has a name only when its table has one.
"""

import os
from datetime import date
from pathlib import Path
from typing import Final

from offers.insight.review import Review
from offers.insight.review_page import review_page
from offers.insight.review_table import review_table
from rtls.model.errors import NotDurable

PAGE: Final = ".html"
TABLE: Final = ".csv"


class ReviewFolder:
    """The reviews of one site."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def has(self, until_day: date) -> bool:
        """Say whether the review that ends before a day is there."""
        return self.page_of(until_day).exists()

    def page_of(self, until_day: date) -> Path:
        """Return where its page lies."""
        return self.folder / f"review-{until_day.isoformat()}{PAGE}"

    def write(self, review: Review) -> Path:
        """Write table and page, the page last; return where the page lies.

        Raises
        ------
        NotDurable
            If the folder or the disk does not take them.
        """
        page = self.page_of(review.report.window.until_day)
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            _replace(page.with_suffix(TABLE), review_table(review))
            _replace(page, review_page(review))
        except OSError as error:
            raise NotDurable(
                f"the review cannot be written to {page} ({error.strerror}); expected a folder "
                "with room. Free the disk or choose another folder in review.folder."
            ) from error
        return page

    def keep_newest(self, count: int) -> int:
        """Delete all but the newest reviews; return how many went.

        Raises
        ------
        NotDurable
            If a file cannot be deleted.
        """
        pages = sorted(self.folder.glob(f"review-????-??-??{PAGE}"))
        old = pages[: max(len(pages) - count, 0)]
        try:
            for page in old:
                page.with_suffix(TABLE).unlink(missing_ok=True)
                page.unlink()
        except OSError as error:
            raise NotDurable(
                f"an old review cannot be deleted ({error.strerror}: {error.filename}); expected "
                "a folder that the service may write to. Give it the rights."
            ) from error
        return len(old)


def _replace(path: Path, text: str) -> None:
    """Write beside, and give it its name when it is whole."""
    beside = path.with_name(f"{path.name}.new")
    with beside.open("w", encoding="utf-8", newline="") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)
