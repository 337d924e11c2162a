"""Do what a request asks once, however often it comes, and give the same bytes each time.

Layer: flow. Takes: an `IdempotentRequest` and the deed. Gives: the `StoredAnswer`. The answer is
written in the transaction of the effect: there is no moment at which one exists without the other.
"""

from collections.abc import Callable

from offers.model.errors import KeyReused
from offers.model.idempotency import IdempotentRequest, StoredAnswer
from offers.ports import UnitOfWork
from rtls.model.units import UnixMs


def answer_once(
    request: IdempotentRequest,
    act: Callable[[], StoredAnswer],
    *,
    work: UnitOfWork,
    now_ms: UnixMs,
) -> StoredAnswer:
    """Return the answer kept under the key, or act and keep the answer.

    Refusals are kept as well: a till that was told "no" is told "no" again under the same key. An
    exception is not kept; all that ``act`` wrote goes with it, and the retry acts afresh.

    Parameters
    ----------
    request
        Caller, key and fingerprint.
    act
        Does the work in the same ``work`` and renders the answer.
    work, now_ms
        The transaction and the time.

    Raises
    ------
    KeyReused
        If the key was used for another request.
    """
    kept = work.answers.find(request)
    if kept is not None:
        fingerprint, answer = kept
        if fingerprint != request.fingerprint:
            raise KeyReused(
                f"Idempotency-Key {request.key!r} came before with another request; expected the "
                "same request. Use a fresh key for each wish."
            )
        return answer
    answer = act()
    work.answers.keep(request, answer, at_ms=now_ms)
    return answer
