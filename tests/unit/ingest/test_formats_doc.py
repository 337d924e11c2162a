"""docs/formats.md: integrators paste from it, so its tables and examples must be what is true."""

import re
import tomllib
from pathlib import Path

import pytest

from inaisle.service.format_tables import format_settings
from inaisle.settings import load_settings
from rtls.ingest.formats.format_name import FormatName
from rtls.ingest.formats.format_settings import FormatSettings
from rtls.ingest.formats.registry import FORMATS, Registry
from rtls.model.units import UnixMs
from tests.unit.ingest.made_messages import make_map

TEXT = (Path(__file__).resolve().parents[3] / "docs" / "formats.md").read_text()
EXAMPLES = re.findall(r"```toml\n(.*?)```", TEXT, re.DOTALL)
ANCHORS = ("a17", "a18", "door", "till", "uwb-net", "hub-0", "hub-1")


def row_of(name: str) -> str:
    """The line of the table of formats."""
    (row,) = re.findall(rf"^\| `{name}` \|.*$", TEXT, re.MULTILINE)
    return row


@pytest.mark.parametrize("name", FormatName)
def test_every_format_has_a_row_with_the_topics_it_is_heard_on(name: FormatName) -> None:
    """What the integrator puts into the broker's ACL."""
    topics = [one for part in FORMATS[name] if part.is_from_broker for one in part.topics]
    row = row_of(name.value)
    for topic in topics:
        # The last levels stand for a topic whose beginning the row has already.
        *_, last = topic.split("/")
        assert f"`{topic}`" in row or f"/{last}`" in row, topic


@pytest.mark.parametrize("text", EXAMPLES)
def test_an_example_can_be_pasted(text: str, tmp_path: Path) -> None:
    """As it stands, for a map that has the anchors it names."""
    assert set(tomllib.loads(text)) == {"formats"}
    file = tmp_path / "site.toml"
    file.write_text(text)
    section = load_settings(files=[file], environment={}).settings.formats
    formats = format_settings(section, make_map(tuple((name, None) for name in ANCHORS)))
    assert Registry(formats).topics


def test_the_two_theengs_processes_of_the_example_are_told_apart() -> None:
    """The one format whose messages do not say who heard."""
    (text,) = [one for one in EXAMPLES if "theengs" in one]
    section = tomllib.loads(text)["formats"]
    registry = Registry(
        FormatSettings(
            on=(FormatName.THEENGS,),
            topics={FormatName.THEENGS: tuple(section["topics"]["theengs"])},
            gateways=section["gateways"],
        )
    )
    payload = b'{"id":"11:22:33:44:55:66","rssi":-42}'
    heard = [
        registry.decode(f"home/tg-{place}/BTtoMQTT/112233445566", payload, UnixMs(0))
        for place in ("door", "till")
    ]
    assert [one.gateway for one in heard] == ["door", "till"]
