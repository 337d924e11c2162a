"""The coverage screen: what the service computes, and anchors that are tried elsewhere.

The route is the service's own, on the map of the demo; the rest of the service is not needed.
"""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from inaisle.config_files import demo_site_map_file
from rtls.api.site_map.coverage_routes import CoverageParts, coverage_router
from rtls.model.site_map_geojson import parse_site_map
from tests.conftest import pick_free_port
from tests.web.crowd_server import serve_crowd

COMPUTED_MS_MAX = 30_000


@pytest.fixture(scope="module")
def planned() -> Iterator[str]:
    """The address of a console that can compute coverage."""
    site_map = parse_site_map(demo_site_map_file().read_bytes(), source="demo")
    parts = CoverageParts(site_map=site_map, calibration=None)
    router = coverage_router(parts, authorise=lambda: "ops")
    with serve_crowd(1, port=pick_free_port(), router=router) as crowd:
        yield crowd.url


@pytest.fixture
def coverage(browser: Browser, planned: str) -> Iterator[Page]:
    context = browser.new_context(locale="de-DE", viewport={"width": 1280, "height": 800})
    context.add_init_script("sessionStorage.setItem('inaisle.staff.token', 'a-key')")
    page = context.new_page()
    page.goto(f"{planned}/console/#/coverage")
    expect(figure(page)).to_contain_text("m", timeout=COMPUTED_MS_MAX)
    yield page
    context.close()


def figure(page: Page) -> Locator:
    return page.locator("[data-figure=p95]")


def test_an_anchor_that_is_left_out_is_missed_at_once_and_nothing_is_saved(
    coverage: Page, find_barriers: Callable[[Page], list[str]]
) -> None:
    """Whoever plans wants to see what an anchor is worth before buying the next."""
    assert find_barriers(coverage) == []
    in_force = "Plan in Kraft"
    expect(coverage.locator("[data-computed=yes]")).to_contain_text(in_force)
    before = figure(coverage).inner_text()
    for anchor in ("b01", "b02", "b03", "b08", "b09"):
        coverage.get_by_role("button", name=f"Weglassen {anchor}").click()
    expect(figure(coverage)).not_to_have_text(before, timeout=COMPUTED_MS_MAX)
    expect(coverage.get_by_text("Ausprobiert, nicht gespeichert")).to_be_visible()
    coverage.get_by_role("button", name="Zurücksetzen").click()
    expect(figure(coverage)).to_have_text(before, timeout=COMPUTED_MS_MAX)
    expect(coverage.get_by_text(in_force)).to_be_visible()


def test_the_best_place_for_one_more_anchor_can_be_tried_by_keys(coverage: Page) -> None:
    """What the star says is worth a click, or Enter, and then a number that is typed."""
    coverage.get_by_role("button", name="Dort ausprobieren").press("Enter")
    place = coverage.get_by_label("x (m) new-1", exact=True)
    expect(place).to_be_visible()
    place.fill("99")
    coverage.keyboard.press("Tab")
    expect(place).to_have_value("60")  # the floor ends there
