"""measurement: how likely a reading is, and what the kernels make of it."""

import numpy as np
import pytest

from rtls.model.errors import InvalidCalibration
from rtls.positioning.kernels.likelihood import range_weight, student_weight
from rtls.positioning.measurement import (
    MeasurementSettings,
    expected_rssi,
    log_density_of_range,
    log_density_of_rssi,
)

SETTINGS = MeasurementSettings()
STEP = 1e-6


def weight_of_range(residual_m: float, sigma_m: float) -> float:
    weight, _ = range_weight(
        residual_m,
        sigma_m,
        SETTINGS.long_share,
        SETTINGS.long_scale_m,
        SETTINGS.short_share,
        SETTINGS.short_scale_m,
    )
    return weight


@pytest.mark.parametrize("residual_m", [-3.0, -0.4, -0.1, 0.1, 0.3, 1.0, 4.0])
def test_the_weight_of_a_range_is_the_slope_of_its_density(residual_m: float) -> None:
    """A slope that does not match its residual made 99.97 % of another system's solves fail."""
    sigma_m = 0.1
    around = np.array([residual_m - STEP, residual_m + STEP])
    low, high = log_density_of_range(around, sigma_m=sigma_m, settings=SETTINGS)
    pull = -(high - low) / (2 * STEP)
    assert weight_of_range(residual_m, sigma_m) == pytest.approx(
        pull * sigma_m**2 / residual_m, rel=1e-4
    )


@pytest.mark.parametrize("residual_db", [-30.0, -6.0, 0.5, 12.0])
def test_the_weight_of_an_rssi_is_the_slope_of_its_density(residual_db: float) -> None:
    """The same promise for decibels."""
    around = np.array([residual_db - STEP, residual_db + STEP])
    low, high = log_density_of_rssi(around, sigma_db=5.0, settings=SETTINGS)
    pull = -(high - low) / (2 * STEP)
    weight = student_weight(residual_db, 5.0, SETTINGS.student_dof)
    assert weight == pytest.approx(pull * 25.0 / residual_db, rel=1e-4)


def test_a_blocked_path_is_forgiven_where_a_short_range_is_not() -> None:
    """Shelves lengthen ranges by metres every day; nothing but a fault shortens one."""
    assert weight_of_range(0.25, 0.1) < weight_of_range(-0.25, 0.1)


def test_no_residual_is_gated_away() -> None:
    """A track that is wrong by 50 m must still be pulled back by what contradicts it."""
    assert weight_of_range(50.0, 0.1) > 0.0
    assert weight_of_range(900.0, 0.05) > 0.0


def test_rssi_falls_by_20_db_a_decade_in_free_space() -> None:
    """Checkable by hand: exponent 2, from 1 m to 10 m."""
    at = expected_rssi(np.array([1.0, 10.0]), rssi_at_1m=-59.0, exponent=2.0)
    assert at.tolist() == [-59.0, -79.0]


@pytest.mark.parametrize(
    ("name", "value"),
    [("range_sigma_m", 0.0), ("rssi_sigma_db", -1.0), ("student_dof", np.nan), ("long_share", 1.0)],
)
def test_noise_that_cannot_be_is_refused_by_name(name: str, value: float) -> None:
    """A zero sigma would make one reading certain and every later one worthless."""
    with pytest.raises(InvalidCalibration, match=name):
        MeasurementSettings(**{name: value})
