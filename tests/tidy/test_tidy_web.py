"""The rules of the house for what stands in web/: short files that say what they are."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
WEB = ROOT / "web"
LINES_MAX = 400
GENERATED = {"schema.d.ts"}
SOURCES = sorted(
    path
    for folder in ("src", "tests", "build")
    for ending in ("*.ts", "*.svelte")
    for path in (WEB / folder).rglob(ending)
    if path.name not in GENERATED
)
# W3C's names of XML languages look like addresses, and nobody fetches them.
NAMESPACE = "http://www.w3.org/"
# Processes without a console of their own name their parts to the operator's machines alone.
WITHOUT_CONSOLE = {"archive.py", "bridge.py", "worker.py"}
WATCHED = re.compile(r"health\.watch\(\s*\"([^\"]+)\"|name: Final = \"(visits from [^\"]+)\"")
ADDRESS = re.compile(r"https?://[\w.-]+[^\s\"'`]*")


def name_of(path: Path) -> str:
    return path.relative_to(WEB).as_posix()


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_a_source_can_be_read_in_one_go_and_says_what_it_is(path: Path) -> None:
    """Who opens a file for the first time learns from its first line why it is there."""
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= LINES_MAX
    assert text.startswith(("<!--", "//", "/*")), text[:60]


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_no_text_becomes_markup_and_no_type_is_any(path: Path) -> None:
    """A product may be called <img onerror=…>, and what is not typed is not checked."""
    text = path.read_text(encoding="utf-8")
    assert "{@html" not in text
    assert "innerHTML" not in text
    assert not re.search(r":\s*any\b|<any>|as any\b|@ts-ignore|@ts-nocheck", text)


@pytest.mark.parametrize(
    "path", [path for path in SOURCES if "tests" not in path.parts], ids=name_of
)
def test_the_pages_name_no_address_of_anybody_else(path: Path) -> None:
    """A shop's pages work without the world, and tell it nothing."""
    found = ADDRESS.findall(path.read_text(encoding="utf-8"))
    assert [one for one in found if not one.startswith(NAMESPACE)] == []


def test_every_dictionary_speaks_both_languages() -> None:
    """The compiler compares the keys; here: no text was forgotten to be said in the other one."""
    for path in (WEB / "src").rglob("*.words.ts"):
        text = path.read_text(encoding="utf-8")
        assert re.search(r"^\s*de: \{", text, re.MULTILINE), path
        assert re.search(r"^\s*en: \{", text, re.MULTILINE), path
        assert not re.search(r': "",?$', text, re.MULTILINE), path


def test_every_part_of_the_service_has_a_german_name() -> None:
    """Who reads the health screen in German is not told of "records of visits"."""
    sources = [*(ROOT / "inaisle").rglob("*.py"), *(ROOT / "offers" / "visit_feed").glob("*.py")]
    watched = {
        first or second
        for path in sources
        if path.name not in WITHOUT_CONSOLE
        for first, second in WATCHED.findall(path.read_text(encoding="utf-8"))
    }
    assert len(watched) > 20
    parts = (WEB / "src/console/screens/health/parts.ts").read_text(encoding="utf-8")
    named = re.findall(r"^  \"?([a-z' ]+)\"?: \"", parts, re.MULTILINE)
    assert set(named) >= watched
    assert set(named) <= watched | {"admitted tags to redis", "counted tags to redis"}
