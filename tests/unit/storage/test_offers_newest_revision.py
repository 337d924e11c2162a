"""Newest revision: what the file names say is what the migrations say."""

import subprocess
import sys
from pathlib import Path

from alembic.script import ScriptDirectory

from offers.storage.database import newest_revision, prepare_database
from offers.storage.migrate import FOLDER


def test_the_newest_file_is_the_head_of_the_migrations() -> None:
    """Else a database would pass for new that is not."""
    assert newest_revision() == ScriptDirectory(str(FOLDER)).get_current_head()


def test_a_database_that_is_up_to_date_is_opened_without_the_migration_library(
    tmp_path: Path,
) -> None:
    """Importing it costs a third of a second, and nearly no start needs it."""
    path = tmp_path / "offers.sqlite"
    prepare_database(path)
    program = (
        "import sys, pathlib; from offers.storage.database import prepare_database; "
        "prepare_database(pathlib.Path(sys.argv[1])); sys.exit('alembic' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program, path], check=False).returncode == 0
