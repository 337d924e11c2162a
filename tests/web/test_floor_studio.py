"""The floor studio: drawing by keys alone, a draft that saves itself, and who was faster.

Each test throws its draft away, so that the next one finds the map in force.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

import ezdxf
import pytest
from PIL import Image
from playwright.sync_api import Locator, Page, expect

from inaisle.simulation.app_client import Json
from offers.model.people.shopper import Role
from tests.web.served_pages import ServedShop

DRAFT = "/v1/operator/site-map/draft"
NASTY = "<img src=x onerror=alert(1)>"


@pytest.fixture
def studio(console: Callable[..., Page], served_shop: ServedShop) -> Iterator[Page]:
    page = console(Role.STORE_ADMIN, "studio")
    expect(plan(page)).to_be_visible()
    yield page
    page.goto("about:blank")
    with served_shop.client(Role.STORE_ADMIN) as client:
        client.delete(DRAFT)


def plan(page: Page) -> Locator:
    return page.get_by_role("application")


def saved(page: Page) -> Locator:
    return page.locator("[data-saved]")


def draft_of(shop: ServedShop) -> Json:
    with shop.client(Role.STORE_ADMIN) as client:
        return client.get(DRAFT)


def feature(shop: ServedShop, wanted: str) -> Json | None:
    features = draft_of(shop)["document"]["features"]
    return next((one for one in features if one.get("id") == wanted), None)


def put_crosshair(page: Page, x: str, y: str) -> None:
    page.get_by_label("x (m)", exact=True).first.fill(x)
    page.keyboard.press("Tab")
    page.get_by_label("y (m)", exact=True).first.fill(y)
    page.keyboard.press("Tab")


def test_a_shelf_is_drawn_saved_and_undone_by_keys_alone(
    studio: Page, served_shop: ServedShop, find_barriers: Callable[[Page], list[str]]
) -> None:
    """Who cannot hold a mouse plans shops, too; and the millimetre is kept."""
    put_crosshair(studio, "36", "30")
    plan(studio).focus()
    for key in ("3", "Enter", "Shift+ArrowRight", "Shift+ArrowRight", "ArrowRight", "Enter"):
        studio.keyboard.press(key)
    expect(studio.get_by_label("Kennung")).to_have_value("shelf-1")
    expect(saved(studio)).to_have_attribute("data-saved", "saved", timeout=10_000)
    expect(saved(studio)).to_have_text("Entwurf gespeichert")
    drawn = feature(served_shop, "shelf-1")
    assert drawn is not None
    assert drawn["geometry"]["coordinates"] == [[36, 30], [38.1, 30]]
    assert find_barriers(studio) == []
    plan(studio).focus()
    studio.keyboard.press("Control+z")
    expect(studio.get_by_text("shelf-1")).to_have_count(0)
    studio.keyboard.press("Control+Shift+z")
    expect(studio.get_by_role("button", name="shelf-1")).to_be_visible()
    studio.get_by_role("button", name="shelf-1").press("Enter")
    plan(studio).focus()
    studio.keyboard.press("Delete")
    expect(studio.get_by_role("button", name="shelf-1")).to_have_count(0)


def test_a_rectangle_drawn_by_the_mouse_catches_the_corner_of_its_neighbour(
    studio: Page, served_shop: ServedShop
) -> None:
    """Two racks that stand back to back must not leave a gap of a finger for people to walk in."""
    studio.get_by_role("button", name="Regal oder Möbel").click()
    box = plan(studio).bounding_box()
    assert box is not None
    studio.get_by_label("Raster").select_option("")
    corner = pixel_of(studio, 4.0, 33.0)
    studio.mouse.click(corner[0] + 5, corner[1] - 4)
    opposite = pixel_of(studio, 6.0, 36.03)
    studio.mouse.click(opposite[0], opposite[1])
    expect(saved(studio)).to_have_text("Entwurf gespeichert", timeout=10_000)
    drawn = feature(served_shop, "fixture-1")
    assert drawn is not None
    assert drawn["geometry"]["coordinates"][0][0] == [4, 33]


def pixel_of(page: Page, x_m: float, y_m: float) -> tuple[float, float]:
    """Find where a place is on the screen, by where the crosshair is told to be under the mouse."""
    box = plan(page).bounding_box()
    assert box is not None
    told = []
    for x, y in ((box["x"] + 60, box["y"] + 60), (box["x"] + 360, box["y"] + 260)):
        page.keyboard.down("Alt")  # let go of snapping
        page.mouse.move(x, y)
        page.keyboard.up("Alt")
        fields = [page.get_by_label(name, exact=True).first for name in ("x (m)", "y (m)")]
        told.append((x, y, *(float(field.input_value()) for field in fields)))
    (px0, py0, x0, y0), (px1, py1, x1, y1) = told
    return (
        px0 + (x_m - x0) * (px1 - px0) / (x1 - x0),
        py0 + (y_m - y0) * (py1 - py0) / (y1 - y0),
    )


def test_a_row_of_shelves_on_both_sides_is_one_wish(studio: Page, served_shop: ServedShop) -> None:
    """Twelve shelves every six metres are not drawn twelve times."""
    studio.get_by_role("button", name="rack-1-front", exact=True).click()
    studio.get_by_label("Anzahl insgesamt").fill("2")
    studio.get_by_label("Abstand (m)").fill("40")
    studio.get_by_label("beide Seiten eines Gangs").check()
    studio.get_by_role("button", name="In Reihe kopieren").click()
    expect(studio.get_by_text("3 Kopien angelegt.")).to_be_visible()
    expect(saved(studio)).to_have_text("Entwurf gespeichert", timeout=10_000)
    copies = [
        one["id"]
        for one in draft_of(served_shop)["document"]["features"]
        if str(one.get("id", "")).startswith("rack-1-front-")
    ]
    assert copies == ["rack-1-front-1", "rack-1-front-2", "rack-1-front-3"]


def test_who_was_slower_loses_nothing(studio: Page, served_shop: ServedShop) -> None:
    """Two people on one plan: neither overwrites the other unseen."""
    draft = draft_of(served_shop)
    with served_shop.client(Role.OPERATOR) as other:
        body = {key: draft[key] for key in ("version", "document", "backgrounds")}
        other.put(DRAFT, body)
    studio.get_by_role("button", name="dowels", exact=True).click()
    studio.get_by_label("Name", exact=True).fill(NASTY)
    studio.keyboard.press("Tab")
    expect(saved(studio)).to_have_attribute("data-saved", "conflict", timeout=10_000)
    studio.get_by_role("button", name="Neuere Fassung laden").click()
    expect(saved(studio)).to_have_attribute("data-saved", "saved")
    expect(studio.get_by_role("cell", name=NASTY)).to_have_count(0)
    studio.get_by_role("button", name="Rückgängig").click()
    expect(studio.get_by_role("cell", name=NASTY)).to_be_visible()
    expect(saved(studio)).to_have_attribute("data-saved", "saved", timeout=10_000)
    changed = feature(served_shop, "dowels")
    assert changed is not None
    assert changed["properties"]["name"] == NASTY


def test_a_map_that_cannot_work_is_kept_and_shown_where_it_fails(studio: Page) -> None:
    """A plan is faulty most of the time while it is drawn; only publishing must wait."""
    put_crosshair(studio, "6.5", "10")
    plan(studio).focus()
    for key in ("3", "Enter", "Shift+ArrowUp", "Shift+ArrowUp", "Enter"):
        studio.keyboard.press(key)
    expect(saved(studio)).to_have_text("Entwurf gespeichert", timeout=10_000)
    expect(studio.get_by_role("button", name="Veröffentlichen")).to_be_disabled()
    faults = studio.locator("ol li button")
    expect(faults.first).to_be_visible()
    faults.first.click()
    expect(studio.get_by_label("Kennung")).not_to_have_value("")


def test_a_picture_of_a_plan_gets_its_scale_from_two_points(
    studio: Page, served_shop: ServedShop, tmp_path: Path
) -> None:
    """Most shops have a picture of their plan, and nothing else."""
    picture = tmp_path / "plan.png"
    Image.new("RGB", (800, 400), "white").save(picture)
    studio.get_by_label("Datei").set_input_files(picture)
    studio.get_by_role("button", name="Einlesen").click()
    expect(studio.get_by_text("in Bildpunkten")).to_be_visible(timeout=15_000)
    # The picture lies over 60 by 30 m at first, its upper left corner at (0, 30).
    for number, (at, true) in enumerate(((("0", "0"), ("0", "0")), (("60", "30"), ("40", "20")))):
        put_crosshair(studio, *at)
        studio.get_by_role("button", name="Punkt am Fadenkreuz hinzufügen").click()
        studio.get_by_label(f"x (m) {number + 1}", exact=True).fill(true[0])
        studio.get_by_label(f"y (m) {number + 1}", exact=True).fill(true[1])
        studio.keyboard.press("Tab")
    studio.get_by_role("button", name="Maßstab berechnen").click()
    expect(studio.get_by_text("mittlere Abweichung 0 cm, 1 Einheit = 0,05 m")).to_be_visible()
    studio.get_by_role("button", name="Übernehmen").click()
    expect(saved(studio)).to_have_text("Entwurf gespeichert", timeout=10_000)
    (background,) = draft_of(served_shop)["backgrounds"]
    assert (background["x_m"], background["y_m"]) == pytest.approx((0, 20), abs=1e-6)
    assert background["m_per_px"] == pytest.approx(0.05)


def test_a_drawing_in_millimetres_is_taken_over_and_a_broken_file_is_refused_by_name(
    studio: Page, served_shop: ServedShop, tmp_path: Path
) -> None:
    """A refusal that does not say which file, of ten, is no help; and the draft stays as it was."""
    broken = tmp_path / "broken.pdf"
    broken.write_bytes(b"%PDF-1.7 and no more")
    studio.get_by_label("Datei").set_input_files(broken)
    studio.get_by_role("button", name="Einlesen").click()
    expect(studio.get_by_role("alert").filter(has_text="broken.pdf")).to_be_visible(timeout=15_000)
    drawing = tmp_path / "new.dxf"
    write_drawing(drawing)
    studio.get_by_label("Datei").set_input_files(drawing)
    studio.get_by_role("button", name="Einlesen").click()
    expect(studio.get_by_text("1 Teile gefunden, in Metern")).to_be_visible(timeout=15_000)
    studio.get_by_role("button", name="Übernehmen").click()
    expect(saved(studio)).to_have_text("Entwurf gespeichert", timeout=10_000)
    walls = [
        one["geometry"]["coordinates"]
        for one in draft_of(served_shop)["document"]["features"]
        if one["properties"]["kind"] == "wall"
    ]
    assert [[1, 1], [5, 1]] in walls


def write_drawing(path: Path) -> None:
    drawing = ezdxf.new(units=4)  # millimetres
    drawing.layers.add("WAND")
    drawing.modelspace().add_line((1000, 1000), (5000, 1000), dxfattribs={"layer": "WAND"})
    drawing.saveas(path)
