"""Count the dwell of visits at smoothed places.

Layer: kernels. Takes: accounts of visits by tag slot, smoothed fixes and their P(zone) as CSR.
Gives: the accounts, counted up to these fixes, to rtls.geofence.visit_accounts.
"""

import numpy as np
import numpy.typing as npt
from numba import njit

from rtls.geofence.kernels.gaussian_in_zone import Floats, Ints

Longs = npt.NDArray[np.int64]
Record = np.void
Records = npt.NDArray[np.void]
Csr = tuple[Ints, Ints, Floats]

ACCOUNTS_A_TAG = 16
NOT_YET = -(2**62)
SILENCE_MS_MAX = 30_000
"""A longer gap between two fixes is not dwell, whatever lies at its ends."""
SETTLED_MS = 1_000
"""So long after the end of a visit its last fixes may still be looked at."""


@njit(cache=True, nogil=True, error_model="numpy")
def count_dwell(
    fixes: Records,
    at_ms: Longs,
    places: Csr,
    p_hold: Floats,
    p_certain: float,
    p_standing_min: float,
    accounts: Records,
) -> None:
    """Step the accounts of each fix's tag: the time since the last one is worth the weaker end.

    Parameters
    ----------
    fixes, at_ms
        (n,) `FIX_DTYPE` and their instants, rising for each tag.
    places
        P(zone) of each.
    p_hold
        (n_zones,) below which a second is none of the zone.
    p_certain, p_standing_min
        From which on time counts in full; below which the tag walks and none counts.
    accounts
        (capacity, `ACCOUNTS_A_TAG`) `ACCOUNT_DTYPE`, in place.
    """
    row_start, zone, probability = places
    for i in range(fixes.size):
        slot = fixes[i]["tag"]
        if not 0 <= slot < accounts.shape[0]:
            continue
        is_standing = fixes[i]["p_standing"] >= p_standing_min
        for k in range(accounts.shape[1]):
            account = accounts[slot, k]
            if account["is_used"] == 0 or at_ms[i] < account["entered_at_ms"]:
                continue
            if at_ms[i] > account["left_at_ms"] + SETTLED_MS:
                continue  # whether this is asked before the account is closed, is chance
            p = 0.0
            for j in range(row_start[i], row_start[i + 1]):
                if zone[j] == account["zone"]:
                    p = probability[j]
            weight = 0.0
            if is_standing and p >= p_hold[account["zone"]]:
                weight = 1.0 if p >= p_certain else p
            step(account, at_ms[i], weight)


@njit(cache=True, nogil=True, error_model="numpy")
def step(account: Record, at_ms: int, weight: float) -> None:
    """Count one account up to an instant, but not beyond the end of its visit."""
    begin = account["stepped_at_ms"]
    before = account["weight"]
    if begin == NOT_YET:
        begin = account["entered_at_ms"]
        before = weight
    passed = min(at_ms, account["left_at_ms"]) - begin
    if 0 < passed <= SILENCE_MS_MAX:
        account["dwell_ms"] += passed * min(weight, before)
    account["stepped_at_ms"] = at_ms
    account["weight"] = weight
