"""Remember which tills have called, so that a call of theirs needs no look-up of its own.

Layer: edges. Takes: credentials that were found. Gives: them to the routes of tills, by the
fingerprints of their secrets. The routes look again in the transaction of the deed: a key that was
revoked does nothing more, whatever is remembered here. Memory is bounded: the first to come go.
"""

from offers.model.people.shopper import Credential


class KnownCallers:
    """Credentials by fingerprint.

    Parameters
    ----------
    callers_max
        So many are kept.
    """

    def __init__(self, *, callers_max: int = 10_000) -> None:
        self._callers_max = callers_max
        self._callers: dict[str, Credential] = {}

    def note(self, fingerprint: str, credential: Credential) -> None:
        """Remember whose secret has this fingerprint."""
        self._callers[fingerprint] = credential
        if len(self._callers) > self._callers_max:
            self.forget(next(iter(self._callers)))

    def find(self, fingerprint: str) -> Credential | None:
        """Return whose secret it was, or None."""
        return self._callers.get(fingerprint)

    def forget(self, fingerprint: str) -> None:
        """Forget a secret that is nobody's any more. From any thread."""
        self._callers.pop(fingerprint, None)

    def __len__(self) -> int:
        """Return how many are kept."""
        return len(self._callers)
