"""Rules of a zone, in our words or in those of an omlox hub."""

import pytest

from rtls.model.errors import InvalidSiteMap
from rtls.model.site_map import DwellRules
from rtls.model.zone_rules_json import parse_rules


def test_no_rules_are_the_default_rules() -> None:
    """A map says only what differs."""
    assert parse_rules({}) == DwellRules()


def test_omlox_settings_are_other_names_of_our_rules() -> None:
    """Milliseconds there, seconds here; whoever has an omlox hub takes his fences over."""
    fence = {
        "timeout": 30_000,
        "exit_tolerance": 1,
        "tolerance_timeout": 9_000,
        "exit_delay": 2_000,
    }
    rules = parse_rules(fence)
    assert (rules.grace_s, rules.exit_tolerance_m) == (30.0, 1.0)
    assert (rules.tolerance_timeout_s, rules.exit_delay_s) == (9.0, 2.0)
    assert rules.min_enter_s == DwellRules().min_enter_s


def test_without_end_is_the_longest_there_is() -> None:
    """Omlox says -1; a visit that never ended would be none."""
    rules = parse_rules({"fence_timeout": -1, "tolerance_timeout": -1, "exit_delay": -1})
    assert (rules.grace_s, rules.tolerance_timeout_s, rules.exit_delay_s) == (3600, 86400, 86400)


def test_null_is_as_good_as_not_set() -> None:
    """So omlox defines it, and so its hubs write it."""
    assert parse_rules({"timeout": None, "exit_delay": None, "grace_s": None}) == DwellRules()


@pytest.mark.parametrize(
    ("given", "fault"),
    [
        ({"exit_delay": 2000, "exit_delay_s": 2}, "exit_delay_s and exit_delay, which are one"),
        ({"timeout": 1000, "grace_s": 1}, "grace_s and timeout"),
        ({"timeout": 1000, "fence_timeout": 1000}, "timeout and fence_timeout"),
        ({"timeout": -5}, "-1 for without end"),
        ({"timeout": "5"}, "finite number"),
        ({"timeout": 0}, "grace_s is 0"),
        ({"exit_tolerance": -1}, "exit_tolerance_m is -1"),
        ({"exit_tolerance_m": 50}, "metres beyond the outline"),
        ({"tolerance_timeout_s": -1}, "tolerance_timeout_s is -1"),
        ({"dwell_thresholds_s": 300}, "a list of seconds"),
        ({"dwell_thresholds_s": [True]}, "finite number"),
        ({"dwell": 3}, "unknown members"),
    ],
)
def test_a_rule_that_cannot_be_meant_is_refused(given: dict[str, object], fault: str) -> None:
    """Two names for one setting would leave it to chance which of them holds."""
    with pytest.raises(InvalidSiteMap, match=fault):
        parse_rules(given)
