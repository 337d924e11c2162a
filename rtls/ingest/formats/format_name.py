"""Name the wire formats, as the settings do.

Layer: nouns. Takes: nothing. Gives: `FormatName` to rtls.ingest.formats.format_settings and to the
door's settings, which must not wait for anything heavier.
"""

from enum import StrEnum
from typing import Final


class FormatName(StrEnum):
    """The wire formats; the names are those of their makers."""

    REFERENCE = "reference"
    PACKED = "packed"
    PHONE_SCAN = "phone_scan"
    ESPRESENSE = "espresense"
    OPENMQTTGATEWAY = "openmqttgateway"
    THEENGS = "theengs"
    DWM1001 = "dwm1001"
    MINEW = "minew"
    KONTAKT = "kontakt"
    SHELLY = "shelly"
    OMLOX = "omlox"
    POZYX = "pozyx"
    INGICS = "ingics"
    APRIL_BROTHER = "april_brother"


DEFAULT_ON: Final = (FormatName.REFERENCE, FormatName.PHONE_SCAN)
