"""Say how long the state machines of offers run: in CI, and at night.

`make test-nightly` sets INAISLE_NIGHTLY: a million steps for each machine.
"""

import os
from typing import Final

from hypothesis import HealthCheck, settings

IS_NIGHT: Final = "INAISLE_NIGHTLY" in os.environ


def machine_settings(*, examples: int = 300, steps: int = 50) -> settings:
    """Return the size of one machine; at night it is the same for all."""
    return settings(
        max_examples=20_000 if IS_NIGHT else examples,
        stateful_step_count=50 if IS_NIGHT else steps,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow],
    )
