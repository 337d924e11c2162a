"""The reports and campaigns of the console, in a browser against a served shop with a past day."""

import datetime as dt
import re
import time
from collections.abc import Callable
from urllib.parse import urlencode

from playwright.sync_api import Locator, Page, expect

from offers.model.people.shopper import Role
from tests.web.served_pages import ServedShop

Console = Callable[..., Page]
STAFF = Role.MERCHANDISER
DAYS = 7
HOSTILE = "<img src=x onerror=\"document.title='taken'\">"
SIMULATED_S_MAX = 2.0
REPORT_MS_MAX = 20_000


def week(shop: ServedShop) -> dict[str, str]:
    """The period that the reports begin with, as the API takes it."""
    until = shop.yesterday + dt.timedelta(days=1)
    return {"from": str(until - dt.timedelta(days=DAYS)), "until": str(until)}


def asked(shop: ServedShop, path: str, **more: str) -> dict[str, object]:
    with shop.client(STAFF) as client:
        return dict(client.get(f"{path}?{urlencode(week(shop) | more)}"))


def number(text: str) -> int:
    return int(re.sub(r"\D", "", text))


def cells(row: Locator) -> list[str]:
    return [text.strip() for text in row.locator("td").all_inner_texts()]


def test_the_funnel_on_the_page_is_the_one_of_the_api(
    served_shop: ServedShop, console: Console
) -> None:
    """Who compares two systems finds the same numbers in both, and withheld ones in neither."""
    report = asked(served_shop, "/v1/operator/kpis")
    whole, zones = report["funnel"], report["zones"]
    assert isinstance(whole, dict)
    assert isinstance(zones, list)
    page = console(STAFF, "funnel")
    rows = page.locator("figure tbody tr")
    expect(rows).to_have_count(len(whole["steps"]), timeout=REPORT_MS_MAX)
    assert any(step["count"] is not None for step in whole["steps"])
    for zone, funnel in (("", whole), *((f"@{one['zone']}", one) for one in zones)):
        page.get_by_label("Trichter von").select_option(zone)
        shown = [cells(rows.nth(place))[1] for place in range(len(funnel["steps"]))]
        told = [step["count"] for step in funnel["steps"]]
        assert [None if re.search("[a-z]", text) else number(text) for text in shown] == told


def test_a_shelf_leads_from_the_plan_to_its_row_and_back(
    served_shop: ServedShop, console: Console
) -> None:
    """Who sees something hot wants its numbers, and who sees a number wants to know where."""
    rows = asked(served_shop, "/v1/operator/footfall/shelves")["rows"]
    told = {row["zone"]: row for row in rows if row["hour"] is None}  # type: ignore[attr-defined]
    page = console(STAFF, "heatmap")
    row = page.locator("tr[data-key=dowels]")
    row.wait_for(timeout=REPORT_MS_MAX)
    page.locator("g[data-zone=dowels]").click()
    expect(row).to_have_class(re.compile("chosen"))
    expect(row.get_by_role("button")).to_be_focused()
    assert number(cells(row)[1]) == told["dowels"]["visitors"]
    page.keyboard.press("Enter")
    expect(page.locator("g[data-zone=dowels]")).to_be_focused()
    expect(page.locator("g[data-zone=dowels]")).to_have_attribute("aria-pressed", "true")


def test_a_withheld_cell_is_not_taken_for_an_empty_one(
    served_shop: ServedShop, console: Console
) -> None:
    """A grey corner would be read as "nobody walks here", and a shelf be moved for it."""
    told = asked(served_shop, "/v1/operator/footfall/heatmap")["rows"]
    assert isinstance(told, list)
    page = console(STAFF, "heatmap")
    svg = page.locator(".plan svg")
    expect(page.locator(".plan canvas")).to_be_visible(timeout=REPORT_MS_MAX)
    expect(page.locator("details tr[data-key]").first).to_be_attached(timeout=REPORT_MS_MAX)
    box = svg.bounding_box()
    assert box is not None
    metre = box["width"] / 60.0

    def say(x_m: float, y_m: float) -> str:
        svg.click(position={"x": x_m * metre, "y": box["height"] - y_m * metre}, force=True)
        return page.locator("p.number[role=status]").inner_text()

    assert "zurückgehalten" in say(0.5, 39.5)
    hot = max((row for row in told if row["x_m"] > 30), key=lambda row: row["visitors"])
    assert f"{hot['visitors']} Besucher" in say(hot["x_m"], hot["y_m"])


def test_a_report_is_saved_as_a_file_under_the_own_credential(console: Console) -> None:
    """What goes into a presentation is the same report, and no address with a secret in it."""
    page = console(STAFF, "heatmap")
    page.locator("tr[data-key=dowels]").wait_for(timeout=REPORT_MS_MAX)
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Speichern als CSV: Regaltabelle").click()
    path = waiting.value.path()
    assert path.read_text(encoding="utf-8").startswith("zone,hour,visitors")
    assert waiting.value.suggested_filename == "Regaltabelle.csv"


def test_a_campaign_is_written_tried_started_and_paused(
    served_shop: ServedShop, console: Console, find_barriers: Callable[[Page], list[str]]
) -> None:
    """The whole life of a campaign, without a line of JSON; what is wrong is said at its field."""
    page = console(STAFF, "campaigns")
    page.get_by_role("button", name="Beginnen").click()
    page.locator("input[name=name]").fill(HOSTILE)
    page.locator("input[name=campaign]").fill("console-test")
    for language in ("de", "en"):
        page.locator(f"[name=title-{language}]").fill("2 off")
        page.locator(f"[name=body-{language}]").fill("At the till.")
    page.get_by_role("button", name="In Kraft setzen").click()
    zone = page.get_by_label("Zone", exact=True)
    expect(zone).to_have_attribute("aria-invalid", "true")
    zone.select_option("dowels")
    page.get_by_label("Verweildauer (s)", exact=True).fill("30")
    page.get_by_label("Verweildauer (s): Minuten").select_option("s")
    page.get_by_label("Verweildauer (s)", exact=True).fill("30")
    page.keyboard.press("Tab")
    began = time.monotonic()
    page.get_by_role("button", name="Auf die letzte Woche anwenden").click()
    figures = page.locator("dl[data-figures=simulation] dd")
    expect(figures.first).to_be_visible()
    assert time.monotonic() - began < SIMULATED_S_MAX
    with served_shop.client(STAFF) as client:
        tried = dict(
            client.post(
                "/v1/operator/campaigns/console-test/simulate",
                {"document": preview_document(page), "days": DAYS},
            )
        )
    assert number(figures.nth(1).inner_text()) == tried["offers"]
    page.get_by_role("button", name="In Kraft setzen").click()
    expect(page.get_by_role("button", name="Pausieren")).to_be_visible()
    assert page.title() != "taken"
    expect(page.get_by_role("heading", level=1)).to_have_text(HOSTILE)
    with served_shop.client(STAFF) as client:
        made = client.get("/v1/operator/campaigns/console-test")
    assert (made["state"], made["revision"]) == ("active", 1)
    assert find_barriers(page) == []
    page.get_by_role("button", name="Pausieren").click()
    expect(page.get_by_role("button", name="Fortsetzen")).to_be_visible()


def preview_document(page: Page) -> dict[str, object]:
    """The document as the form would send it, which the page shows as text."""
    page.locator("summary", has_text="Dokument (JSON)").click()
    text = page.locator("details textarea").input_value()
    return dict(page.evaluate("text => JSON.parse(text)", text))


def test_an_experiment_is_started_and_stopped(
    console: Console, find_barriers: Callable[[Page], list[str]]
) -> None:
    """What is tried on shoppers is begun and ended by people, and the page says what that does."""
    page = console(STAFF, "experiments/~new")
    page.get_by_label("Kennung").fill("console-try")
    page.get_by_label("Frage").fill("Lohnt es sich?")
    page.get_by_role("button", name="In Kraft setzen").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Lohnt es sich?")
    expect(page.get_by_text("Noch zu wenige Kunden")).to_be_visible()
    assert find_barriers(page) == []
    page.get_by_role("button", name="Für immer beenden").click()
    page.get_by_role("dialog").get_by_role("button", name="Für immer beenden").click()
    expect(page.get_by_text("beendet", exact=False).first).to_be_visible()


def test_flows_on_the_page_are_those_of_the_api(served_shop: ServedShop, console: Console) -> None:
    """A drawing of ribbons is nothing that anybody can check: its table is."""
    rows = asked(served_shop, "/v1/operator/footfall/flows", level="shelf")["rows"]
    assert isinstance(rows, list)
    page = console(STAFF, "flows")
    shown = page.locator("figure").first.locator("tbody tr")
    expect(shown).to_have_count(max(1, len(rows)), timeout=REPORT_MS_MAX)
    page.locator("figure").first.locator("summary").click()
    visitors = [number(cells(shown.nth(place))[2]) for place in range(len(rows))]
    assert visitors == [row["visitors"] for row in rows]


def test_each_figure_says_what_it_is_where_it_stands(console: Console) -> None:
    """Merchandisers argue about definitions, so each is one key press away."""
    page = console(STAFF, "heatmap")
    ask = page.get_by_role("button", name="Was ist „Stopprate“?")
    ask.wait_for(timeout=REPORT_MS_MAX)
    ask.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("stehen geblieben ÷ Besucher")).to_be_visible()
