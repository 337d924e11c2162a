"""Settings: one value out of four sources, and no key that nobody knows."""

from pathlib import Path

import pytest

from inaisle.errors import InvalidSettings
from inaisle.settings import MASK, load_settings, settings_rows


def written(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text)
    return path


def test_a_flag_beats_the_environment_beats_a_file_beats_the_default(tmp_path: Path) -> None:
    """An operator who types a port means it, whatever a file on the machine says."""
    file = written(
        tmp_path, "a.toml", "[api]\nport = 1001\nconnections_max = 7\n[mqtt]\nport = 5\n"
    )
    environment = {"INAISLE__API__PORT": "1002", "INAISLE__MQTT__PORT": "6"}
    loaded = load_settings(files=[file], environment=environment, flags={("api", "port"): 1003})
    assert loaded.settings.api.port == 1003
    assert loaded.settings.mqtt.port == 6
    assert loaded.settings.api.connections_max == 7
    assert loaded.settings.api.host == "127.0.0.1"
    assert loaded.origin["api", "port"] == "the command line"
    assert loaded.origin["api", "connections_max"] == str(file)


def test_a_later_file_beats_an_earlier_one(tmp_path: Path) -> None:
    """Files are read by name, so 20-site.toml can correct 10-company.toml."""
    first = written(tmp_path, "10.toml", "[engine]\ntick_ms = 20\nshard = 3\n")
    second = written(tmp_path, "20.toml", "[engine]\ntick_ms = 30\n")
    engine = load_settings(files=[first, second], environment={}).settings.engine
    assert (engine.tick_ms, engine.shard) == (30, 3)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[api]\nprot = 80\n", ("[api] prot", "unknown key", "'port'")),
        ("[apis]\nport = 80\n", ("[apis] port", "unknown section", "'api'")),
        ("port = 80\n", ("'port'", "outside a table")),
        ("[api]\nport = 99999\n", ("[api] port", "99999")),
        ("[api\n", ("TOML",)),
    ],
)
def test_a_file_that_cannot_be_meant_is_refused_by_name(
    tmp_path: Path, text: str, words: tuple[str, ...]
) -> None:
    """A misspelt key that is passed over is found out when the shop is open."""
    file = written(tmp_path, "site.toml", text)
    with pytest.raises(InvalidSettings) as caught:
        load_settings(files=[file], environment={})
    for word in (str(file), *words):
        assert word in str(caught.value)


def test_a_misspelt_environment_name_is_refused() -> None:
    """INAISLE__API__PROT=80 would otherwise leave the port at its default, in silence."""
    with pytest.raises(InvalidSettings, match=r"the environment: \[api\] prot"):
        load_settings(environment={"INAISLE__API__PROT": "80"})


def test_other_names_of_the_environment_do_not_matter() -> None:
    """SITE, LOG or MQTT may be anybody's variables."""
    loaded = load_settings(environment={"SITE": "x", "LOG": "y", "INAISLE_OTHER": "z"})
    assert loaded.origin == {}


def test_a_secret_is_shown_nowhere() -> None:
    """`config show` ends in tickets and chats."""
    loaded = load_settings(environment={"INAISLE__MQTT__PASSWORD": "hunter2"})
    rows = {(section, key): value for section, key, value, _ in settings_rows(loaded)}
    assert rows["mqtt", "password"] == MASK
    assert "hunter2" not in repr(list(settings_rows(loaded)))
    assert "hunter2" not in repr(loaded.settings)


def test_a_refused_secret_is_not_repeated_in_the_error() -> None:
    """An error message is logged."""
    with pytest.raises(InvalidSettings) as caught:
        load_settings(flags={("mqtt", "password"): 4711}, environment={})
    assert "4711" not in str(caught.value)
