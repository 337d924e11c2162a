"""Sum the demo up for a person or for a machine.

Layer: doors. Takes: the story and the last figures. Gives: standard output.
"""

import json
import sys
from dataclasses import asdict

from inaisle.demo.demo_loyalty import LoyaltyAct
from inaisle.demo.demo_story import Story
from inaisle.demo.demo_view import DemoFigures, error_text, inside_text, zones_text


def summary_document(story: Story, figures: DemoFigures) -> dict[str, object]:
    """Return the summary as plain values."""
    receipt = story.receipt
    return {
        "zone": receipt.zone,
        "campaign": receipt.offer["campaign"],
        "stood_s": receipt.stood_s,
        "offer_after_s": receipt.offer_after_s,
        "is_still_there": receipt.is_still_there,
        "delivery_ms": receipt.delivery_ms,
        "redeemed": {
            "amount_minor": story.redeemed.amount_minor,
            "currency": story.redeemed.currency,
        },
        "is_refused_twice": story.redeemed.is_refused_twice,
        "loyalty": asdict(story.loyalty),
        "position_error_m": {
            "uwb": _percentiles(figures.uwb_error_m),
            "ble": _percentiles(figures.ble_error_m),
        },
        "truth_in_90_ellipse": {
            "uwb": _share(figures.uwb_inside),
            "ble": _share(figures.ble_inside),
        },
        "p_zone": {zone: round(p, 3) for zone, p in figures.zones},
        "shoppers": figures.shoppers,
        "speed": figures.speed,
        "fixes_a_s": round(figures.fixes_a_s, 1),
        "visits": figures.visits,
        "offers": figures.offers,
        "redemptions": figures.redemptions,
        "tick_p99_ms": figures.tick_p99_ms,
    }


def _share(share: float | None) -> float | None:
    return None if share is None else round(share, 3)


def _percentiles(error_m: tuple[float, float] | None) -> dict[str, float] | None:
    return None if error_m is None else {"p50": round(error_m[0], 3), "p90": round(error_m[1], 3)}


def _loyalty(act: LoyaltyAct) -> str:
    return (
        f"{act.welcome_points} points for enrolling, {act.earned_points} for a basket, "
        f"{act.spent_points} spent in the same minute, tier {act.tier}, "
        f"{act.clawed_back_points} taken back with a return"
    )


def print_summary(story: Story, figures: DemoFigures, *, as_json: bool) -> None:
    """Print the summary to standard output."""
    if as_json:
        json.dump(summary_document(story, figures), sys.stdout, indent=2)
        sys.stdout.write("\n")
        return
    receipt = story.receipt
    where = "while still there" if receipt.is_still_there else "after leaving"
    sys.stdout.write(
        f"offer at {receipt.zone} after standing {receipt.stood_s:.1f} s, {where}; "
        f"{story.redeemed.amount_minor / 100:.2f} {story.redeemed.currency} redeemed at the till; "
        f"{_loyalty(story.loyalty)}; "
        f"P(zone) {zones_text(figures.zones)}; "
        f"position error of trolleys {error_text(figures.uwb_error_m)}; "
        f"truth in the 90 % ellipse: {inside_text(figures)}\n"
    )
