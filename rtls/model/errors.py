"""What can be wrong with input, as one tree of errors.

Layer: nouns. Takes: nothing. Gives: the errors that public functions of `rtls` raise.

    InaisleError
    ├── InvalidGeometry      a number that cannot be a place or a distance
    ├── InvalidReading       a reading that no radio can have sent
    ├── InvalidSiteMap       a map that cannot work: file, feature and remedy are named
    ├── InvalidPlanFile      a foreign plan that cannot be read, or that is too big to be tried
    ├── InvalidCalibration   parameters that do not fit the anchors
    ├── InvalidVisit         a zone event that no engine can have made
    ├── InvalidSnapshot      engine state of another version, site or shape
    │   └── ForeignSnapshot      another release wrote it, and this one cannot read it
    ├── InvalidFrame         a message of readings or fixes that cannot be taken
    │   ├── FrameTooLarge        it is larger than is allowed
    │   └── UnknownFrameVersion  it is of a version that this release does not read
    ├── InvalidRecording     a recorded file that cannot be replayed
    ├── InvalidConnection    settings by which no broker can be reached
    ├── InvalidFormat        settings by which no message of a gateway could be read
    ├── InvalidReport        a report that cannot be asked for, or columns none can be made of
    ├── MissingExtra         a library of an extra is needed and not installed
    ├── NoRoute              a place that nobody can walk to, or that is too far from any ground
    ├── NotDurable           something that must survive a crash could not be written
    └── LiveStateAway        the latest fixes cannot be read just now

Every message names the field, the value, what was expected, and the remedy.
"""


class InaisleError(Exception):
    """Root of all errors that a caller may want to catch."""


class InvalidGeometry(InaisleError, ValueError):
    """A number that cannot be a place or a distance."""


class InvalidReading(InaisleError, ValueError):
    """A reading that no radio can have sent."""


class InvalidSiteMap(InaisleError, ValueError):
    """A site map that cannot work."""


class InvalidPlanFile(InaisleError, ValueError):
    """A plan of foreign make that cannot be read, or that is too big to be tried."""


class InvalidCalibration(InaisleError, ValueError):
    """Calibration parameters that do not fit the anchors."""


class InvalidVisit(InaisleError, ValueError):
    """A zone event that no engine can have made."""


class InvalidSnapshot(InaisleError, ValueError):
    """Engine state of another version, site or shape."""


class ForeignSnapshot(InvalidSnapshot):
    """State that another release wrote and this one cannot go on from."""


class InvalidFrame(InaisleError, ValueError):
    """A message of readings or fixes that cannot be taken: damaged, too large, or foreign."""


class FrameTooLarge(InvalidFrame):
    """A message of readings or fixes that is larger than is allowed."""


class UnknownFrameVersion(InvalidFrame):
    """A message of readings or fixes of a version that this release does not read."""


class InvalidRecording(InaisleError, ValueError):
    """A recorded file that cannot be replayed."""


class InvalidConnection(InaisleError, ValueError):
    """Settings by which no broker can be reached."""


class InvalidFormat(InaisleError, ValueError):
    """Settings by which no message of a gateway could be read."""


class InvalidReport(InaisleError, ValueError):
    """A report that cannot be asked for, or columns that none can be made of."""


class MissingExtra(InaisleError):
    """A library of an extra is needed and not installed."""


class NoRoute(InaisleError, ValueError):
    """A place that nobody can walk to, or that is too far from any ground."""


class NotDurable(InaisleError):
    """Something that must survive a crash could not be written: do not acknowledge the input."""


class LiveStateAway(InaisleError):
    """The latest fixes cannot be read just now; ask again in a moment."""
