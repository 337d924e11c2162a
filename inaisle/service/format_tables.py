"""Turn the settings of wire formats into what ingest works with.

Layer: doors. Takes: the section `formats`, the site map. Gives: checked `FormatSettings` to
inaisle.service.locating_side and inaisle.service.doctor.
"""

from inaisle.errors import InvalidSettings
from inaisle.settings_sections import FormatsSection, FrameSection
from rtls.ingest.formats.format_settings import FormatSettings
from rtls.ingest.formats.registry import Registry
from rtls.ingest.formats.site_frame import SiteFrame
from rtls.model.errors import InvalidFormat
from rtls.model.site_map import SiteMap


def format_settings(section: FormatsSection, site_map: SiteMap) -> FormatSettings:
    """Return which formats are heard and what their names mean on this site.

    Raises
    ------
    InvalidSettings
        If an entry cannot work or names an anchor that the map does not have.
    """
    try:
        formats = FormatSettings(
            on=section.on,
            topics=section.topics or {},
            prefixes=section.prefixes or {},
            gateways=section.gateways or {},
            gateway_levels=section.gateway_levels or {},
            aliases=section.aliases or {},
            frames={name: _frame(given) for name, given in (section.frames or {}).items()},
        )
        formats.check_anchors(site_map.anchor_index)
        Registry(formats)
    except InvalidFormat as error:
        raise InvalidSettings(str(error)) from error
    return formats


def _frame(section: FrameSection) -> SiteFrame:
    return SiteFrame(
        x_m=section.x_m,
        y_m=section.y_m,
        z_m=section.z_m,
        rotation_deg=section.rotation_deg,
        longitude_deg=section.longitude_deg,
        latitude_deg=section.latitude_deg,
        anchor=section.anchor,
    )
