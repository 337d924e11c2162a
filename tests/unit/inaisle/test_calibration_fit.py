"""Putting the fits together: whose level, and what a strange tag may be known by."""

import pytest

from inaisle.calibration.calibration_fit import level_of_tags, strangers
from rtls.model.units import AnchorId, Dbm, Metre, TagId
from rtls.positioning.calibration import AnchorLoss, Calibration, LinkRange
from rtls.positioning.path_loss import SurveyFit

A, B = AnchorId("a"), AnchorId("b")
ONE, TWO = TagId("one"), TagId("two")


def test_a_strange_tag_is_known_only_by_what_others_taught() -> None:
    """Held against its own calibration every tag looks good; a shopper's has none."""
    links = {
        (ONE, A): LinkRange(bias_m=Metre(0.1)),
        (TWO, A): LinkRange(bias_m=Metre(0.3)),
        (TWO, B): LinkRange(bias_m=Metre(0.5)),
    }
    found = dict(strangers(Calibration(links=links)))
    assert found[ONE].ranges[A].bias_m == pytest.approx(0.3)
    assert found[TWO].ranges[A].bias_m == pytest.approx(0.1)
    assert (ONE, A) not in found[ONE].links
    assert (TWO, A) in found[ONE].links


def test_the_only_tag_stands_for_all_others() -> None:
    """Nothing else is known; the report says that it is no real test of strangers."""
    known = Calibration(
        links={(ONE, A): LinkRange(bias_m=Metre(0.1))},
        ranges={A: LinkRange(bias_m=Metre(0.1))},
    )
    ((tag, alone),) = strangers(known)
    assert tag == ONE
    assert not alone.links
    assert alone.ranges[A].bias_m == 0.1


def test_anchors_that_hear_each_other_do_not_set_the_level_of_phones() -> None:
    """Anchors send 10 dB louder than the phone; shoppers carry phones."""
    loss = AnchorLoss(rssi_at_1m=Dbm(-60.0), exponent=2.0, sigma_db=5.0, bias_sd_db=3.0)
    fit = SurveyFit(
        calibration=Calibration(losses={A: loss}),
        offset_db={"anchor:a": 5.0, "anchor:b": 5.0, "phone": -10.0},
    )
    losses, offsets = level_of_tags(fit)
    assert losses[A].rssi_at_1m == -70.0
    assert offsets == {"phone": 0.0}
