"""calibration and anchor_table: what is known of anchors and links, as the kernels read it."""

import pytest

from rtls.model.errors import InvalidCalibration
from rtls.model.units import AnchorId, Dbm, Metre, TagId
from rtls.positioning.anchor_table import AnchorTable
from rtls.positioning.calibration import AnchorLoss, Calibration, LinkRange
from tests.reference.radio_site import SQUARE, site_with

T0, T1 = TagId("t0"), TagId("t1")
A0, A1 = AnchorId("a0"), AnchorId("a1")


def test_rows_belong_to_tags_in_the_order_of_their_ids() -> None:
    """A restart must give each tag the row its snapshot remembers."""
    calibration = Calibration.from_links([(T1, A0, 0.2, 0.01), (T0, A1, 0.1, 0.0)])
    assert [calibration.row_of(tag) for tag in (T0, T1, TagId("other"))] == [1, 2, 0]


def test_a_link_goes_before_the_anchor_and_the_anchor_before_nothing() -> None:
    """A tag's own antenna delay is known better than the anchor's average."""
    site = site_with(SQUARE, range_bias_m=0.18)
    links = AnchorTable.build(site, Calibration.from_links([(T0, A1, 0.3, 0.02)])).records.links
    assert links["bias_m"].tolist() == [[0.18, 0.18, 0.18, 0.18], [0.18, 0.3, 0.18, 0.18]]
    assert links["slope"][1].tolist() == [0.0, 0.02, 0.0, 0.0]


def test_a_link_nobody_calibrated_is_trusted_less() -> None:
    """UWB links carry about 0.2 m of bias until somebody measures it."""
    table = AnchorTable.build(site_with(SQUARE), Calibration.from_links([(T0, A0, 0.0, 0.0)]))
    remaining = table.records.links["bias_sd_m"]
    assert remaining[1, 0] < remaining[1, 1] == remaining[0, 0]


def test_a_surveyed_law_replaces_the_map() -> None:
    """The survey knows the shelves; the map has a data sheet."""
    loss = AnchorLoss(rssi_at_1m=Dbm(-55.0), exponent=2.4, sigma_db=5.0, bias_sd_db=3.0)
    own = AnchorTable.build(site_with(SQUARE), Calibration(losses={A1: loss})).records.own
    assert own["rssi_at_1m"].tolist() == [-61.0, -55.0, -61.0, -61.0]
    assert own["exponent"][1] == 2.4


def test_an_anchor_that_is_not_on_the_map_is_refused() -> None:
    """A typing error in the survey must not pass as an anchor that needs no calibration."""
    calibration = Calibration.from_links([(T0, AnchorId("a9"), 0.1, 0.0)])
    with pytest.raises(InvalidCalibration, match="a9"):
        AnchorTable.build(site_with(SQUARE), calibration)


def test_a_link_named_twice_is_refused() -> None:
    """Which of the two would hold depends on the order of a file."""
    with pytest.raises(InvalidCalibration, match="twice"):
        Calibration.from_links([(T0, A0, 0.1, 0.0), (T0, A0, 0.2, 0.0)])


@pytest.mark.parametrize("bias_m", [float("nan"), 180.0])
def test_a_bias_in_another_unit_is_refused(bias_m: float) -> None:
    """180 mm written as metres would put every tag outside the shop."""
    with pytest.raises(InvalidCalibration):
        Calibration.from_links([(T0, A0, bias_m, 0.0)])
    with pytest.raises(InvalidCalibration):
        LinkRange(bias_m=Metre(bias_m))


def test_the_table_cannot_be_changed_by_who_reads_it() -> None:
    """Threads share it without a lock."""
    own = AnchorTable.build(site_with(SQUARE)).records.own
    with pytest.raises(ValueError, match="read-only"):
        own["x_m"][0] = 1.0


def test_what_an_anchor_errs_by_holds_for_every_tag_without_a_link_of_its_own() -> None:
    """A shopper's tag was never calibrated; what the surveyor's taught of the anchor serves it."""
    calibration = Calibration(
        ranges={A0: LinkRange(bias_m=Metre(0.2), slope=0.01, bias_sd_m=Metre(0.07))},
        links={(T0, A1): LinkRange(bias_m=Metre(0.4))},
    )
    links = AnchorTable.build(site_with(SQUARE), calibration).records.links
    assert links["bias_m"][:, 0].tolist() == [0.2, 0.2]
    assert links["bias_sd_m"][:, 0].tolist() == [0.07, 0.07]
    assert links["bias_m"][:, 1].tolist() == [0.0, 0.4]


def test_the_part_of_a_calibration_about_some_anchors_leaves_the_others_out() -> None:
    """A floor's coverage must not ask for anchors of another floor."""
    calibration = Calibration(
        ranges={A0: LinkRange(bias_m=Metre(0.2)), A1: LinkRange(bias_m=Metre(0.1))},
        links={(T0, A1): LinkRange(bias_m=Metre(0.4))},
    )
    assert calibration.anchors == (A0, A1)
    assert calibration.of_anchors({A0}).anchors == (A0,)


def test_a_spread_that_is_none_is_refused() -> None:
    """A zero would be an anchor without any error left."""
    with pytest.raises(InvalidCalibration, match="bias_sd_m"):
        LinkRange(bias_m=Metre(0.1), bias_sd_m=Metre(0.0))
