"""Say a step of a route in the shopper's language.

Layer: rules. Takes: `RouteStep`s of rtls.model, names of zones, a `Locale`. Gives: a sentence for
each step to the routes. Zones are called what the site map calls them.
"""

from collections.abc import Mapping
from typing import Final, assert_never

from offers.model.people.shopper import Locale
from rtls.model.route import Instruction, RouteStep
from rtls.model.units import Metre, ZoneId

TURNS: Final[Mapping[Instruction, tuple[str, str]]] = {
    Instruction.BEAR_LEFT: ("Halten Sie sich links und gehen Sie", "Bear left and walk"),
    Instruction.BEAR_RIGHT: ("Halten Sie sich rechts und gehen Sie", "Bear right and walk"),
    Instruction.TURN_LEFT: ("Biegen Sie links ab und gehen Sie", "Turn left and walk"),
    Instruction.TURN_RIGHT: ("Biegen Sie rechts ab und gehen Sie", "Turn right and walk"),
    Instruction.TURN_ROUND: ("Drehen Sie um und gehen Sie", "Turn round and walk"),
}
CHANGES: Final[Mapping[Instruction, tuple[str, str]]] = {
    Instruction.TAKE_STAIRS: ("die Treppe", "the stairs"),
    Instruction.TAKE_ESCALATOR: ("die Rolltreppe", "the escalator"),
    Instruction.TAKE_LIFT: ("den Aufzug", "the lift"),
}


def step_words(
    step: RouteStep,
    *,
    names: Mapping[ZoneId, str],
    floors: Mapping[int, str],
    target: str,
    locale: Locale,
) -> str:
    """Return what to do in one step, as a sentence.

    Parameters
    ----------
    step
        What to do.
    names
        What the zones of the site are called.
    floors
        What its floors are called.
    target
        What the shelf is called that the route leads to.
    locale
        The language.

    Examples
    --------
    >>> from rtls.model.place import Place
    >>> here = Place(floor=0, x_m=Metre(1.0), y_m=Metre(2.0))
    >>> turn = RouteStep(
    ...     instruction=Instruction.TURN_LEFT, at=here, length_m=Metre(8.3), along=ZoneId("a3")
    ... )
    >>> called = {"names": {ZoneId("a3"): "Aisle 3"}, "floors": {0: "Ground floor"}}
    >>> step_words(turn, **called, target="Dowels", locale=Locale.EN)
    'Turn left and walk 8 m through “Aisle 3”.'
    """
    is_german = locale is Locale.DE
    match step.instruction:
        case Instruction.GO:
            begin = "Gehen Sie" if is_german else "Walk"
            return f"{begin} {_metres(step.length_m)}{_through(step, names, locale)}."
        case (
            Instruction.BEAR_LEFT
            | Instruction.BEAR_RIGHT
            | Instruction.TURN_LEFT
            | Instruction.TURN_RIGHT
            | Instruction.TURN_ROUND
        ):
            begin = TURNS[step.instruction][0 if is_german else 1]
            return f"{begin} {_metres(step.length_m)}{_through(step, names, locale)}."
        case Instruction.TAKE_STAIRS | Instruction.TAKE_ESCALATOR | Instruction.TAKE_LIFT:
            return _change(step, floors, locale)
        case Instruction.ARRIVE_AHEAD:
            where = ("liegt vor Ihnen", "is ahead of you")
        case Instruction.ARRIVE_LEFT:
            where = ("liegt links von Ihnen", "is on your left")
        case Instruction.ARRIVE_RIGHT:
            where = ("liegt rechts von Ihnen", "is on your right")
        case _:
            assert_never(step.instruction)
    if is_german:
        return f"Sie sind da: „{target}“ {where[0]}."
    return f"You have arrived: “{target}” {where[1]}."


def _change(step: RouteStep, floors: Mapping[int, str], locale: Locale) -> str:
    ride = step.ride
    assert ride is not None  # such a step is made of a ride
    name, floor = ride.connector.name, floors.get(ride.to_floor, str(ride.to_floor))
    is_up = ride.to_floor > ride.from_floor
    if locale is Locale.DE:
        way = "hinauf" if is_up else "hinunter"
        return f"Nehmen Sie {CHANGES[step.instruction][0]} „{name}“ {way}: „{floor}“."
    return f"Take {CHANGES[step.instruction][1]} “{name}” {'up' if is_up else 'down'} to “{floor}”."


def _through(step: RouteStep, names: Mapping[ZoneId, str], locale: Locale) -> str:
    name = None if step.along is None else names.get(step.along)
    if name is None:
        return " geradeaus" if locale is Locale.DE else " straight on"
    return f" durch „{name}“" if locale is Locale.DE else f" through “{name}”"


def _metres(length_m: Metre) -> str:
    return f"{max(1, round(length_m))} m"
