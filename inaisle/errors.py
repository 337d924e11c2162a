"""What can go wrong at the door, and with which status the program then ends.

Layer: doors. Takes: nothing. Gives: the errors of starting and wiring to `inaisle.cli`.

    0    done
    1    a part broke while running (the log says which); a supervisor should start it again
    2    the command line or the settings are wrong
    3    the input is refused: site map, recording, calibration, fixes file
    4    something outside is not there: broker, Redis, a port, a folder
    130  interrupted from the keyboard
"""

from enum import IntEnum

from rtls.model.errors import InaisleError


class ExitStatus(IntEnum):
    """The status a command ends with."""

    DONE = 0
    BROKEN = 1
    USAGE = 2
    REFUSED = 3
    UNAVAILABLE = 4
    INTERRUPTED = 130


class InvalidSettings(InaisleError, ValueError):
    """Settings that cannot work: names source, key, value and remedy."""


class Unavailable(InaisleError):
    """Something outside that a command needs is not there."""


class PartBroke(InaisleError):
    """A part of the running program ended when it should not."""


def exit_status_of(error: InaisleError) -> ExitStatus:
    """Return the status that a command ends with after ``error``.

    Examples
    --------
    >>> int(exit_status_of(InvalidSettings("port is -1")))
    2
    """
    if isinstance(error, InvalidSettings):
        return ExitStatus.USAGE
    if isinstance(error, Unavailable):
        return ExitStatus.UNAVAILABLE
    if isinstance(error, PartBroke):
        return ExitStatus.BROKEN
    return ExitStatus.REFUSED
