"""Put each shopper into one arm of an experiment, always the same, or into the global holdout.

Layer: rules. Takes: an `Experiment` or the `Holdout`, and a shopper's key. Gives: an `Arm`.
Nothing is drawn and nothing is stored: the arm is a hash of experiment, salt and shopper (as in
Kohavi, Tang & Xu, Trustworthy Online Controlled Experiments, 2020, ch. 4), so that whoever knows
the document can work it out again. The salt makes experiments independent of each other.
"""

import hashlib
from typing import Final

from offers.model.experiments.experiment import Arm, Experiment, Holdout
from offers.model.experiments.experiment_run import HOLDOUT
from offers.model.ids import ShopperId
from rtls.model.units import UnixMs

PLACES: Final = 2**64
BETWEEN: Final = "\x1f"  # stands in no id and no salt: "a" + "bc" must not hash as "ab" + "c"


def place_of(experiment: str, *, salt: str, shopper: ShopperId) -> int:
    """Return where a shopper stands among 2^64 places, evenly spread and known beforehand.

    Examples
    --------
    >>> place_of("coffee", salt="9f2c6a11", shopper=ShopperId("s1")) < PLACES
    True
    """
    text = BETWEEN.join((experiment, salt, shopper))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8])


def arm_of(experiment: Experiment, shopper: ShopperId) -> Arm:
    """Return the arm of a shopper; it stays the same in every revision with the same salt."""
    arms = experiment.arms
    place = place_of(experiment.experiment, salt=experiment.salt, shopper=shopper)
    return arms[place * len(arms) // PLACES]


def is_held_out(holdout: Holdout, shopper: ShopperId) -> bool:
    """Return whether no campaign addresses the shopper."""
    place = place_of(HOLDOUT, salt=holdout.salt, shopper=shopper)
    return place * 1_000 < holdout.per_mille * PLACES


def arm_now(
    experiment: Experiment, shopper: ShopperId, *, holdout: Holdout | None, now_ms: UnixMs
) -> Arm | None:
    """Return the arm that applies now; None before, after, and for who is held out of everything.

    Who is held out belongs to no arm, also not to the control: the control shops under all other
    campaigns, the holdout under none.
    """
    is_running = experiment.from_ms <= now_ms < experiment.until_ms
    if not is_running or (holdout is not None and is_held_out(holdout, shopper)):
        return None
    return arm_of(experiment, shopper)
