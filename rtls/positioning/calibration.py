"""Hold what was learnt of anchors and links, as one noun.

Layer: rules. Takes: surveys (rtls.positioning.path_loss) and per-link tables.
Gives: `Calibration` to the anchor table and the engine.
"""

import math
from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from types import MappingProxyType

from rtls.model.errors import InvalidCalibration
from rtls.model.units import AnchorId, Dbm, Metre, TagId
from rtls.positioning.radio_map import RadioMap

BIAS_M_MAX = 10.0
SLOPE_MAX = 0.5
SIGMA_DB_MAX = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class AnchorLoss:
    """Path loss of one anchor as a survey found it.

    Parameters
    ----------
    rssi_at_1m, exponent
        RSSI = rssi_at_1m - 10 exponent log10(distance in m).
    sigma_db
        Spread of single readings about the law: what shelves do and what time does.
    bias_sd_db
        The part of it that stays while a tag stands: the spread of the survey's means.
    """

    rssi_at_1m: Dbm
    exponent: float
    sigma_db: float
    bias_sd_db: float

    def __post_init__(self) -> None:
        if not -120.0 <= self.rssi_at_1m <= 20.0:  # noqa: PLR2004
            raise InvalidCalibration(f"rssi_at_1m is {self.rssi_at_1m} dBm; expected -120 to 20.")
        if not 0.1 <= self.exponent <= 8.0:  # noqa: PLR2004
            raise InvalidCalibration(f"exponent is {self.exponent}; expected 0.1 to 8.")
        for name, value in (("sigma_db", self.sigma_db), ("bias_sd_db", self.bias_sd_db)):
            if not 0.0 < value <= SIGMA_DB_MAX:
                raise InvalidCalibration(
                    f"{name} is {value} dB; expected above 0, at most {SIGMA_DB_MAX:.0f}."
                )


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkRange:
    """How ranges err, of one tag to one anchor or of an anchor to any tag.

    Parameters
    ----------
    bias_m, slope
        measured = distance (1 + slope) + bias_m.
    bias_sd_m
        What of the bias remains unknown; None where only the settings' usual spread is known.
    """

    bias_m: Metre
    slope: float = 0.0
    bias_sd_m: Metre | None = None

    def __post_init__(self) -> None:
        if self.bias_sd_m is not None and not 0.0 < self.bias_sd_m <= BIAS_M_MAX:
            raise InvalidCalibration(
                f"bias_sd_m is {self.bias_sd_m}; expected above 0, at most {BIAS_M_MAX:.0f} m."
            )
        if not abs(self.bias_m) <= BIAS_M_MAX:
            raise InvalidCalibration(
                f"bias_m is {self.bias_m}; expected at most {BIAS_M_MAX:.0f} m either way. "
                "Check the unit."
            )
        if not abs(self.slope) <= SLOPE_MAX:
            raise InvalidCalibration(
                f"slope is {self.slope}; expected at most {SLOPE_MAX} either way."
            )


@dataclass(frozen=True, kw_only=True)
class Calibration:
    """What is known beyond the site map; anything not named keeps the map's value.

    Parameters
    ----------
    losses
        Path loss by anchor.
    ranges
        Range error by anchor, whichever tag; it goes before the map's.
    links
        Range error by tag and anchor; it goes before the anchor's own.
    radio_map
        How strongly each anchor is heard where, in the order of the site map's anchors; None where
        there was no survey.
    """

    losses: Mapping[AnchorId, AnchorLoss] = field(default_factory=dict)
    ranges: Mapping[AnchorId, LinkRange] = field(default_factory=dict)
    links: Mapping[tuple[TagId, AnchorId], LinkRange] = field(default_factory=dict)
    radio_map: RadioMap | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "losses", MappingProxyType(dict(self.losses)))
        object.__setattr__(self, "ranges", MappingProxyType(dict(self.ranges)))
        object.__setattr__(self, "links", MappingProxyType(dict(self.links)))

    @classmethod
    def from_links(cls, rows: Iterable[tuple[TagId, AnchorId, float, float]], /) -> "Calibration":
        """Build from (tag, anchor, bias_m, slope) rows.

        Raises
        ------
        InvalidCalibration
            If a value is out of range or a link is named twice.
        """
        links: dict[tuple[TagId, AnchorId], LinkRange] = {}
        for tag, anchor, bias_m, slope in rows:
            if (tag, anchor) in links:
                raise InvalidCalibration(f"link {tag} to {anchor} is named twice; keep one row.")
            if not (math.isfinite(bias_m) and math.isfinite(slope)):
                raise InvalidCalibration(
                    f"link {tag} to {anchor}: bias_m {bias_m}, slope {slope}; expected numbers."
                )
            links[tag, anchor] = LinkRange(bias_m=Metre(bias_m), slope=slope)
        return cls(links=links)

    @property
    def anchors(self) -> tuple[AnchorId, ...]:
        """Return the anchors that something is known of, sorted."""
        named = {*self.losses, *self.ranges, *(anchor for _, anchor in self.links)}
        return tuple(sorted(named))

    def of_anchors(self, anchors: Container[AnchorId]) -> "Calibration":
        """Return what is known of some anchors alone: those of one floor, say."""
        return replace(
            self,
            losses={name: loss for name, loss in self.losses.items() if name in anchors},
            ranges={name: error for name, error in self.ranges.items() if name in anchors},
            links={link: error for link, error in self.links.items() if link[1] in anchors},
            radio_map=None,  # it is stated for all anchors of the site, in their order
        )

    @cached_property
    def rows(self) -> Mapping[TagId, int]:
        """Return the row of each tag that has links of its own, from 1, by the order of ids."""
        tags = sorted({tag for tag, _ in self.links})
        return MappingProxyType({tag: row for row, tag in enumerate(tags, start=1)})

    def row_of(self, tag: TagId) -> int:
        """Return the calibration row of a tag; 0, the anchors' own, where it has none."""
        return self.rows.get(tag, 0)
