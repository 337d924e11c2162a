"""faults_of_programme: all that is wrong, each at its place."""

import copy

from offers.model.loyalty.programme_faults import FAULTS_MAX, faults_of_programme

DOCUMENT = {
    "version": 1,
    "site": "demo",
    "time_zone": "Europe/Berlin",
    "units": [{"unit": "points"}],
    "earning": [
        {
            "rule": name,
            "unit": "points",
            "earns": {
                "kind": "per_amount",
                "amount_minor": 1,
                "per_minor": 100,
                "currency": "EUR",
            },
        }
        for name in ("one", "two", "three")
    ],
    "rewards": [{"reward": "mug", "campaign": "mug-reward", "unit": "points", "cost_minor": 500}],
    "settings": {"offers_a_trip_max": 5},
}


def changed(**parts: object) -> dict[str, object]:
    return copy.deepcopy(DOCUMENT) | parts


def test_a_document_that_can_be_read_has_none() -> None:
    """What may be started must not look wrong."""
    assert faults_of_programme(DOCUMENT, source="p") == ()


def test_every_fault_is_told_at_its_own_place() -> None:
    """Who mends one fault and is then told the next has to come five times."""
    document = copy.deepcopy(DOCUMENT)
    document["earning"][0]["earns"]["kind"] = "per_mile"
    document["earning"][2]["unit"] = "miles"
    document["rewards"][0]["cost_minor"] = -1
    document["settings"] = {"offers_a_trip_max": 0, "brand": {"name": "x", "accent": "#ffff00"}}
    found = faults_of_programme(document, source="p")
    assert {fault.pointer for fault in found} == {
        "/earning/0",
        "/earning/2",
        "/rewards/0",
        "/settings/offers_a_trip_max",
        "/settings/brand",
    }
    assert all(fault.message.startswith("p: ") for fault in found)


def test_what_names_a_wrong_unit_is_not_told_as_wrong() -> None:
    """Three rules with points are fine; it is the points that are not."""
    found = faults_of_programme(changed(units=[{"unit": "points", "lasts_days": -1}]), source="p")
    assert [fault.pointer for fault in found] == ["/units/0"]


def test_a_member_that_nobody_knows_is_named() -> None:
    """A misspelt member would otherwise be passed over for ever."""
    assert [fault.pointer for fault in faults_of_programme(changed(teirs={}), source="p")] == [
        "/teirs"
    ]


def test_no_more_are_told_than_anybody_reads() -> None:
    """A document of another program has a thousand faults."""
    assert len(faults_of_programme(changed(earning=[{}] * 100), source="p")) == FAULTS_MAX
