"""step_words and asked_language: a route said aloud."""

import pytest

from offers.model.people.shopper import Locale
from offers.search.asked_language import asked_language
from offers.search.step_words import CHANGES, step_words
from rtls.model.connector import Connector, ConnectorKind
from rtls.model.place import Place
from rtls.model.route import Instruction, Ride, RouteStep
from rtls.model.units import Metre, ZoneId

HERE = Place(floor=0, x_m=Metre(1.0), y_m=Metre(2.0))
FLOORS = {0: "EG", 1: "1. OG"}
NAMES = {ZoneId("a3"): "Gang 3"}


RIDE = Ride(
    connector=Connector(
        connector="lift-1",
        name="A",
        kind=ConnectorKind.LIFT,
        stops=(HERE, Place(floor=1, x_m=Metre(1.0), y_m=Metre(2.0))),
    ),
    from_floor=0,
    to_floor=1,
)


def said(instruction: Instruction, locale: Locale, *, along: str | None = "a3") -> str:
    zone = None if along is None else ZoneId(along)
    ride = RIDE if instruction in CHANGES else None
    step = RouteStep(instruction=instruction, at=HERE, length_m=Metre(8.4), along=zone, ride=ride)
    return step_words(step, names=NAMES, floors=FLOORS, target="Dübel", locale=locale)


@pytest.mark.parametrize(
    ("instruction", "german", "english"),
    [
        (Instruction.GO, "Gehen Sie 8 m durch „Gang 3“.", "Walk 8 m through “Gang 3”."),
        (
            Instruction.TURN_LEFT,
            "Biegen Sie links ab und gehen Sie 8 m durch „Gang 3“.",
            "Turn left and walk 8 m through “Gang 3”.",
        ),
        (
            Instruction.BEAR_RIGHT,
            "Halten Sie sich rechts und gehen Sie 8 m durch „Gang 3“.",
            "Bear right and walk 8 m through “Gang 3”.",
        ),
        (
            Instruction.TAKE_LIFT,
            "Nehmen Sie den Aufzug „A“ hinauf: „1. OG“.",
            "Take the lift “A” up to “1. OG”.",
        ),
        (
            Instruction.ARRIVE_RIGHT,
            "Sie sind da: „Dübel“ liegt rechts von Ihnen.",
            "You have arrived: “Dübel” is on your right.",
        ),
    ],
)
def test_a_step_is_a_sentence(instruction: Instruction, german: str, english: str) -> None:
    """What the app reads aloud while the phone is in the pocket."""
    assert said(instruction, Locale.DE) == german
    assert said(instruction, Locale.EN) == english


@pytest.mark.parametrize("locale", Locale)
def test_no_two_instructions_sound_alike(locale: Locale) -> None:
    """Left is not right in any language."""
    assert len({said(one, locale) for one in Instruction}) == len(Instruction)


def test_a_way_through_no_zone_is_said_without_one() -> None:
    """Also where the map has been drawn anew since and the zone is gone."""
    assert said(Instruction.GO, Locale.EN, along=None) == "Walk 8 m straight on."
    assert said(Instruction.GO, Locale.DE, along="gone") == "Gehen Sie 8 m geradeaus."


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (None, "de"),
        ("", "de"),
        ("en", "en"),
        ("EN-us", "en"),
        ("fr-FR, fr;q=0.9", "de"),
        ("de;q=0.5, en;q=0.6", "en"),
        ("en;q=0", "de"),
        ("en;q=x, de", "de"),
        ("en;q=0..1", "de"),
        ("*", "de"),
        ("\x00,;;q,en;q=0.3", "en"),
    ],
)
def test_the_language_is_that_of_the_header_where_we_speak_it(
    header: str | None, expected: str
) -> None:
    """Browsers send the header by themselves; nonsense in it is nobody's fault."""
    assert asked_language(header, Locale.DE).value == expected
