"""Read the settings: defaults < config/*.toml < INAISLE__SECTION__KEY < flags.

Layer: doors. Takes: files, environment, flags. Gives: one frozen `Settings` to every command. A key
that nobody knows is refused with the place it stands in, since a misspelt key that is ignored is
found out in production.
"""

import difflib
import os
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import SecretStr, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict
from typing_extensions import override

from inaisle.errors import InvalidSettings
from inaisle.settings_sections import (
    ApiSection,
    ArchiveSection,
    ChainSection,
    ClockSection,
    DeliverySection,
    EngineSection,
    FootfallSection,
    FormatsSection,
    HistorySection,
    LogSection,
    MqttSection,
    OffersSection,
    ReceptionSection,
    RedisSection,
    ReviewSection,
    Section,
    SimulatorSection,
    SiteSection,
    TenantsSection,
    VisitsSection,
)

ENV_PREFIX = "INAISLE__"
MASK = "********"


class Settings(BaseSettings):
    """Everything that can be set, by section."""

    model_config = SettingsConfigDict(extra="forbid", frozen=True)

    site: SiteSection = SiteSection()
    mqtt: MqttSection = MqttSection()
    formats: FormatsSection = FormatsSection()
    reception: ReceptionSection = ReceptionSection()
    engine: EngineSection = EngineSection()
    visits: VisitsSection = VisitsSection()
    history: HistorySection = HistorySection()
    footfall: FootfallSection = FootfallSection()
    review: ReviewSection = ReviewSection()
    offers: OffersSection = OffersSection()
    delivery: DeliverySection = DeliverySection()
    api: ApiSection = ApiSection()
    redis: RedisSection = RedisSection()
    chain: ChainSection = ChainSection()
    archive: ArchiveSection = ArchiveSection()
    tenants: TenantsSection = TenantsSection()
    simulator: SimulatorSection = SimulatorSection()
    log: LogSection = LogSection()
    clock: ClockSection = ClockSection()

    @classmethod
    @override
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Take what `load_settings` has layered and nothing else.

        The library's own reader of the environment passes over names it does not know.
        """
        del settings_cls, env_settings, dotenv_settings, file_secret_settings
        return (init_settings,)


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """What one source sets: (section, key) → value."""

    source: str
    values: Mapping[tuple[str, str], object]


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedSettings:
    """Settings, and where each value that is not a default came from."""

    settings: Settings
    origin: Mapping[tuple[str, str], str]


def load_settings(
    *,
    files: Sequence[Path] = (),
    environment: Mapping[str, str] | None = None,
    flags: Mapping[tuple[str, str], object] | None = None,
) -> LoadedSettings:
    """Layer all sources over the defaults; a later file wins over an earlier one.

    Parameters
    ----------
    files
        TOML files with one table a section.
    environment
        ``os.environ`` if None; only names that begin with ``INAISLE__`` count.
    flags
        What the command line says; a None is no word.

    Raises
    ------
    InvalidSettings
        If a file cannot be read, a key is unknown or a value is out of bounds.
    """
    environment = os.environ if environment is None else environment
    said = {key: value for key, value in (flags or {}).items() if value is not None}
    layers = [
        *(_file_layer(path) for path in files),
        _environment_layer(environment),
        Layer(source="the command line", values=said),
    ]
    origin: dict[tuple[str, str], str] = {}
    tree: dict[str, dict[str, object]] = {}
    for layer in layers:
        _refuse_unknown_keys(layer)
        for (section, key), value in layer.values.items():
            tree.setdefault(section, {})[key] = value
            origin[section, key] = layer.source
    try:
        return LoadedSettings(settings=Settings.model_validate(tree), origin=origin)
    except ValidationError as error:
        raise InvalidSettings(_first_fault(error, origin)) from error


def settings_rows(loaded: LoadedSettings) -> Iterator[tuple[str, str, object, str]]:
    """Yield (section, key, value, origin) of every setting; secrets are masked."""
    for section in Settings.model_fields:
        group: Section = getattr(loaded.settings, section)
        for key, value in group.model_dump().items():
            shown = MASK if isinstance(value, SecretStr) else value
            shown = str(shown) if isinstance(shown, Path) else shown
            yield section, key, shown, loaded.origin.get((section, key), "default")


def _file_layer(path: Path) -> Layer:
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InvalidSettings(f"{path}: cannot be read as TOML ({error}).") from error
    values: dict[tuple[str, str], object] = {}
    for section, table in document.items():
        if not isinstance(table, dict):
            raise InvalidSettings(
                f"{path}: '{section}' stands outside a table. Put it under [section]; sections "
                f"are {', '.join(Settings.model_fields)}."
            )
        values |= {(section, key): value for key, value in table.items()}
    return Layer(source=str(path), values=values)


def _environment_layer(environment: Mapping[str, str]) -> Layer:
    values: dict[tuple[str, str], object] = {}
    for name, value in environment.items():
        if name.startswith(ENV_PREFIX):
            section, _, key = name.removeprefix(ENV_PREFIX).lower().partition("__")
            values[section, key] = value
    return Layer(source="the environment", values=values)


def _refuse_unknown_keys(layer: Layer) -> None:
    for section, key in layer.values:
        where = f"{layer.source}: [{section}] {key or '(no key)'}"
        if section not in Settings.model_fields:
            raise InvalidSettings(
                f"{where}: unknown section. {_nearest(section, list(Settings.model_fields))}"
            )
        known = list(_section_type(section).model_fields)
        if key not in known:
            raise InvalidSettings(f"{where}: unknown key. {_nearest(key, known)}")


def _section_type(section: str) -> type[Section]:
    kind = Settings.model_fields[section].annotation
    assert isinstance(kind, type)
    assert issubclass(kind, Section)
    return kind


def _nearest(name: str, known: Sequence[str]) -> str:
    close = difflib.get_close_matches(name, known, n=1)
    return f"Did you mean '{close[0]}'?" if close else f"Known: {', '.join(known)}."


def _first_fault(error: ValidationError, origin: Mapping[tuple[str, str], str]) -> str:
    fault = error.errors(include_url=False, include_context=False)[0]
    section, key = (*(str(part) for part in fault["loc"]), "", "")[:2]
    source = origin.get((section, key), "default")
    is_secret = "password" in key or "key" in key or "url" in key
    given = MASK if is_secret else repr(fault["input"])
    return f"{source}: [{section}] {key} is {given}: {fault['msg']}."
