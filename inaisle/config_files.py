"""Find the data files that ship with the program: settings, demo site, demo campaigns.

Layer: doors. Takes: where the package lies. Gives: paths to settings, demo, serve and doctor. In a
wheel the files lie inside the package, in a checkout at the root of the repository.
"""

from pathlib import Path

from inaisle.errors import Unavailable

PACKAGE = Path(__file__).resolve().parent


def config_folder() -> Path:
    """Return the folder ``config`` that belongs to this program.

    Raises
    ------
    Unavailable
        If the installation lacks it.
    """
    for folder in (PACKAGE / "config", PACKAGE.parent / "config"):
        if folder.is_dir():
            return folder
    raise Unavailable(
        f"no folder 'config' in {PACKAGE} or beside it; the installation is incomplete. "
        "Install the package again."
    )


def demo_site_map_file() -> Path:
    """Return the plan of the demo site."""
    return config_folder() / "demo" / "site.geojson"


def demo_campaigns_file() -> Path:
    """Return the campaigns of the demo site."""
    return config_folder() / "demo" / "campaigns.json"


def demo_programme_file() -> Path:
    """Return the loyalty programme of the demo site."""
    return config_folder() / "demo" / "programme.json"


def demo_catalogue_file() -> Path:
    """Return the products of the demo site."""
    return config_folder() / "demo" / "catalogue.csv"


def consent_text_files() -> tuple[Path, ...]:
    """Return the texts of consents: ``<version>.<language>.md``."""
    return tuple(sorted((config_folder() / "consents").glob("*.??.md")))


def campaign_template_files() -> tuple[Path, ...]:
    """Return the ready-made campaigns, one for each segment of shoppers."""
    return tuple(sorted((config_folder() / "templates").glob("*.json")))


def checkout_root() -> Path | None:
    """Return the root of the checkout this package runs from, or None when it is installed.

    Benchmarks and their README are part of a checkout only.
    """
    root = PACKAGE.parent
    return root if (root / "pyproject.toml").is_file() and (root / "benchmarks").is_dir() else None


def shipped_settings_files() -> tuple[Path, ...]:
    """Return the TOML files that ship with the program, in the order they are read."""
    return tuple(sorted(config_folder().glob("*.toml")))
