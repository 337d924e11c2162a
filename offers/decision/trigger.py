"""Say whether a moment is the one that a campaign waits for.

Layer: rules. Takes: a `VisitTrigger` and a `VisitMoment`. Gives: yes or no to decide.
"""

from offers.model.campaign import VisitTrigger
from offers.model.decision import VisitMoment


def is_triggered(trigger: VisitTrigger, moment: VisitMoment) -> bool:
    """Say whether this stay, at this dwell threshold, wakes the campaign.

    The threshold must be the campaign's own. A stay of 300 s has passed 120 s before: what waits
    for 120 s was decided about then, and is not decided about again.
    """
    # Both numbers come out of JSON files, where 300 and 300.0 are the same wish.
    is_threshold = round(trigger.dwell_s * 1_000) == round(moment.threshold_s * 1_000)
    return trigger.zone == moment.zone and is_threshold
