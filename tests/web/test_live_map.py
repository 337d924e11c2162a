"""The live map under a crowd, and when the line behind it fails.

The crowd comes from a server of the test, so that the page alone is measured; that the service
speaks the same wire is shown by tests/contract. Frame times and the share of the main thread are
those of web_and_packaging: software rendering, as on a shop-floor PC.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.conftest import pick_free_port
from tests.web.crowd_server import CrowdServer, serve_crowd

CROWD = 5_000
FRAME_MS_P95_MAX = 25.0
BUSY_MAX = 0.5
SETTLE_MS = 1_500
MEASURED_MS = 5_000
COUNT_FRAMES = """(ms) => new Promise((done) => {
    const gaps = []; let before = performance.now(); const until = before + ms;
    const look = (now) => {
        gaps.push(now - before); before = now;
        if (now < until) requestAnimationFrame(look); else done(gaps);
    };
    requestAnimationFrame(look);
})"""
# The control: a page that draws each dot twelve times over, as an outline and a glow would.
SLOW_DRAW = """
    const fill = CanvasRenderingContext2D.prototype.fillRect;
    CanvasRenderingContext2D.prototype.fillRect = function (...box) {
        for (let time = 0; time < 12; time++) fill.apply(this, box);
    };
"""


@pytest.fixture(scope="module")
def few() -> Iterator[CrowdServer]:
    """Forty people, which is a quiet morning."""
    with serve_crowd(40, port=pick_free_port()) as crowd:
        yield crowd


@pytest.fixture(scope="module")
def many() -> Iterator[CrowdServer]:
    with serve_crowd(CROWD, port=pick_free_port()) as crowd:
        yield crowd


@contextmanager
def live_map(browser: Browser, crowd: CrowdServer, script: str = "") -> Iterator[Page]:
    context = browser.new_context(locale="de-DE", viewport={"width": 1280, "height": 800})
    context.add_init_script("sessionStorage.setItem('inaisle.staff.token', 'a-key')" + script)
    page = context.new_page()
    try:
        page.goto(f"{crowd.url}/console/#/live")
        expect(state(page)).to_have_attribute("data-state", "open", timeout=15_000)
        yield page
    finally:
        context.close()
        crowd.closes_with, crowd.clock_ahead_ms = None, 0
        crowd.is_silent = crowd.is_damaged = False


def state(page: Page) -> Locator:
    return page.locator("[data-state]")


def measured(page: Page) -> tuple[float, float]:
    """The 95th percentile of the time between frames, and how busy the main thread was."""
    page.wait_for_timeout(SETTLE_MS)
    devtools = page.context.new_cdp_session(page)
    devtools.send("Performance.enable")

    def task_s() -> float:
        metrics = devtools.send("Performance.getMetrics")["metrics"]
        return float(next(one["value"] for one in metrics if one["name"] == "TaskDuration"))

    before = task_s()
    gaps = page.evaluate(COUNT_FRAMES, MEASURED_MS)
    return float(np.percentile(gaps, 95)), (task_s() - before) / (MEASURED_MS / 1000.0)


@pytest.mark.timed
def test_five_thousand_people_move_smoothly(browser: Browser, many: CrowdServer) -> None:
    """On a Saturday before Christmas the map must not stand still."""
    with live_map(browser, many) as page:
        expect(page.get_by_text("5.000 Menschen")).to_be_visible()
        frame_ms, busy = measured(page)
    figures = f"p95 frame {frame_ms:.1f} ms, main thread {busy:.0%} busy"
    assert frame_ms <= FRAME_MS_P95_MAX, figures
    assert busy <= BUSY_MAX, figures


@pytest.mark.timed
def test_a_slow_draw_would_be_seen(browser: Browser, many: CrowdServer) -> None:
    """Negative control: what measures the test above can also fail."""
    with live_map(browser, many, ";" + SLOW_DRAW) as page:
        frame_ms, busy = measured(page)
    assert frame_ms > FRAME_MS_P95_MAX or busy > BUSY_MAX


def test_a_lost_line_is_shown_and_comes_back_by_itself(browser: Browser, few: CrowdServer) -> None:
    """A restart of the service in the night must not leave a dead map for the morning."""
    with live_map(browser, few) as page:
        opened = few.opened
        few.closes_with = 1012
        expect(state(page)).to_have_attribute("data-state", "waiting")
        expect(state(page)).to_contain_text("getrennt")
        few.closes_with = None
        expect(state(page)).to_have_attribute("data-state", "open", timeout=15_000)
        expect(page.get_by_text("40 Menschen")).to_be_visible()
    assert few.opened > opened


def test_a_feed_that_stands_still_is_not_taken_for_an_empty_shop(
    browser: Browser, few: CrowdServer
) -> None:
    """The last picture stays on the screen, so somebody must say that it is old."""
    with live_map(browser, few) as page:
        few.is_silent = True
        expect(state(page)).to_have_attribute("data-state", "stalled", timeout=8_000)


def test_a_clock_that_is_off_and_damaged_frames_are_told(
    browser: Browser, few: CrowdServer
) -> None:
    """Whoever compares the map with the till's receipt must know whose clock is wrong."""
    with live_map(browser, few) as page:
        few.clock_ahead_ms, few.is_damaged = 60_000, True
        expect(page.get_by_text("Uhr dieses Geräts")).to_be_visible()
        expect(page.get_by_text("unlesbare Nachrichten")).to_be_visible()
        expect(page.get_by_text("40 Menschen")).to_be_visible()


def test_somebody_is_found_by_pseudonym_and_the_table_tells_what_the_map_shows(
    browser: Browser, few: CrowdServer, find_barriers: Callable[[Page], list[str]]
) -> None:
    """Who cannot see the canvas reads the table, and reaches everything by the keyboard."""
    with live_map(browser, few) as page:
        expect(page.get_by_text("40 Menschen")).to_be_visible()
        page.get_by_role("searchbox").fill("p00007")
        page.keyboard.press("Enter")
        expect(page.locator("dt", has_text="p00007")).to_be_visible()
        rows = page.get_by_role("table", name="Wer ist wo").locator("tbody tr")
        expect(rows.filter(has_text="Gartencenter")).to_be_visible()
        assert find_barriers(page) == []


def test_the_past_is_played_from_a_recording(browser: Browser, few: CrowdServer) -> None:
    """Why was the till so full at eleven? Nobody has to have been there."""
    with live_map(browser, few) as page:
        page.get_by_role("button", name="Letzte 24 Stunden").click()
        shown = page.locator("output")
        expect(shown).to_have_attribute("aria-busy", "false")
        before = shown.inner_text()
        page.get_by_label("Tempo").select_option("30")
        page.get_by_role("button", name="Abspielen").click()
        expect(shown).not_to_have_text(before)
        expect(page.get_by_text("40 Menschen")).to_be_visible()
