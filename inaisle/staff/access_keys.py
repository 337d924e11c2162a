"""Give the first till and the first operator their keys.

Layer: doors. Takes: keys from the settings, or none. Gives: credentials in the database, and the
keys in a file that only this user can read. Generated once; shown once, on standard error and not
in the log, which redacts them.
"""

import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from inaisle.errors import InvalidSettings
from inaisle.settings_sections import OffersSection
from offers.handlers.people.issue_credential import (
    PREFIXES,
    SECRET_CHARACTERS_MAX,
    SECRET_PURPOSE,
    add_credential,
    identify_caller,
)
from offers.handlers.random_id import random_id, random_secret
from offers.model.ids import CredentialId, TillId
from offers.model.people.shopper import Credential, Role
from offers.ports import SecretSource, UnitOfWork, Writer
from rtls.model.units import SiteId, UnixMs

FILE: Final = "keys.json"
FIRST_TILL: Final = TillId("till-1")
KEY_CHARACTERS_MIN: Final = 16


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class AccessKeys:
    """What a till and an operator say in ``Authorization: Bearer``. Not printed by `repr`."""

    till: str
    staff: str


def provide_keys(
    section: OffersSection,
    *,
    folder: Path,
    site: SiteId,
    writer: Writer,
    secrets: SecretSource,
    now_ms: UnixMs,
) -> AccessKeys:
    """Return the keys of the settings, else of the file, else new ones; all of them work then.

    Parameters
    ----------
    section
        May hold keys of the operator's choice.
    folder
        Where the file of generated keys lies.
    site
        Where the keys are good.
    writer, secrets, now_ms
        The database, randomness, the time.

    `InvalidSettings` names a key of the settings that is too short to be one, or a file that is no
    file of keys.
    """
    known = _read(folder / FILE)
    given = {"till": section.till_key, "staff": section.staff_key}
    keys = {
        name: known.get(name) or random_secret(PREFIXES[role], secrets)
        for name, role in (("till", Role.TILL), ("staff", Role.OPERATOR))
    }
    for name, chosen in given.items():
        if chosen is not None:
            keys[name] = _checked(name, chosen.get_secret_value())
    generated = {name: keys[name] for name, chosen in given.items() if chosen is None}
    if any(known.get(name) != key for name, key in generated.items()):
        _write(folder / FILE, known | generated)
    access = AccessKeys(till=keys["till"], staff=keys["staff"])
    writer.run(lambda work: _make_known(access, site, work=work, secrets=secrets, now_ms=now_ms))
    return access


def _make_known(
    access: AccessKeys, site: SiteId, *, work: UnitOfWork, secrets: SecretSource, now_ms: UnixMs
) -> None:
    wanted = ((access.till, Role.TILL, FIRST_TILL), (access.staff, Role.OPERATOR, None))
    for key, role, till in wanted:
        if identify_caller(key, work=work, secrets=secrets, now_ms=now_ms) is None:
            credential = Credential(
                credential=CredentialId(random_id(secrets)),
                role=role,
                created_at_ms=now_ms,
                till=till,
                site=site,
            )
            fingerprint = secrets.fingerprint(key, purpose=SECRET_PURPOSE)
            add_credential(credential, fingerprint=fingerprint, work=work, secrets=secrets)


def _checked(name: str, key: str) -> str:
    if not KEY_CHARACTERS_MIN <= len(key) <= SECRET_CHARACTERS_MAX:
        raise InvalidSettings(
            f"offers.{name}_key has {len(key)} characters; expected {KEY_CHARACTERS_MIN} to "
            f"{SECRET_CHARACTERS_MAX}. Leave it empty to have one generated."
        )
    return key


def _read(path: Path) -> dict[str, str]:
    if not path.exists():
        return {}
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        return {str(name): str(key) for name, key in document.items()}
    except (OSError, ValueError, AttributeError) as error:
        raise InvalidSettings(
            f"{path}: cannot be read as a file of keys ({error}). Remove it to have new ones made."
        ) from error


def _write(path: Path, keys: dict[str, str]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        json.dump(keys, file, indent=2)
        file.write("\n")
        file.flush()
        os.fsync(file.fileno())
    sys.stderr.write(f"new keys for the till and the operator are in {path}\n")
