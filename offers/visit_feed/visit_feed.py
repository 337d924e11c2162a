"""Let offers decide about zone events, and say when the decisions are durable.

Layer: edges. Takes: zone events, called in process, or from the readers beside this one.
Gives: each to the handler `on_visit` in a transaction of the writer, whose commit wakes the relay.
The handler refuses an event id that it has seen, so a second copy is harmless.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from functools import partial
from typing import Final

from offers.handlers.visits.on_visit import DEFAULT_SETTINGS, VisitSettings, on_visit
from offers.model.errors import StorageError
from offers.model.offering.decision import Decision
from offers.ports import SecretSource, UnitOfWork, Writer
from rtls.model.units import UnixMs
from rtls.model.visit import DwellReached, ZoneEvent

COMMIT_S_MAX: Final = 30.0
BATCH_MAX: Final = 256

_NOTHING_TO_DECIDE: Final[Future[Decision | None]] = Future()
_NOTHING_TO_DECIDE.set_result(None)


class VisitFeed:
    """Decide about events, and return when the decisions are durable.

    Parameters
    ----------
    writer
        Runs each event in a transaction of its own; many share one commit.
    now_ms
        The door's clock.
    secrets
        Randomness for ids.
    settings
        What an event must be to make an offer.
    concerns
        Whether an event can matter to a campaign; the others cost no transaction.
    offered
        Told of each stay that led to an offer how many milliseconds after its evidence the offer
        was durable.
    """

    def __init__(
        self,
        *,
        writer: Writer,
        now_ms: Callable[[], UnixMs],
        secrets: SecretSource,
        settings: VisitSettings = DEFAULT_SETTINGS,
        concerns: Callable[[ZoneEvent], bool] = lambda _event: True,
        offered: Callable[[float], None] = lambda _took_ms: None,
    ) -> None:
        self._writer = writer
        self._now_ms = now_ms
        self._secrets = secrets
        self._settings = settings
        self._concerns = concerns
        self._offered = offered
        self.counters = {"events": 0, "failed": 0, "passed_over": 0}

    def accept(self, events: Sequence[ZoneEvent]) -> None:
        """Decide about events in their order (subscriber of the in-process bus).

        An error of the handler or of the database surfaces after the other events were decided;
        giving the same events once more is then right, and harmless for those that are through.
        """
        failure = next((error for error in self.outcomes(events) if error is not None), None)
        if failure is not None:
            raise failure

    def outcomes(self, events: Sequence[ZoneEvent]) -> list[BaseException | None]:
        """Decide about events; say for each whether it is durable (None) or why not."""
        outcomes: list[BaseException | None] = []
        for start in range(0, len(events), BATCH_MAX):
            # Handed over first and waited for then: a batch shares its commits.
            batch = events[start : start + BATCH_MAX]
            futures = [self._submit(event) for event in batch]
            for event, future in zip(batch, futures, strict=True):
                outcomes.append(_outcome(future))
                self._time(event, future)
        failed = len(outcomes) - outcomes.count(None)
        self.counters["events"] += len(outcomes) - failed
        self.counters["failed"] += failed
        return outcomes

    def _time(self, event: ZoneEvent, future: Future[Decision | None]) -> None:
        if not isinstance(event, DwellReached) or not future.done() or future.exception():
            return
        decision = future.result()
        if decision is not None and decision.chosen is not None:
            self._offered(float(self._now_ms() - event.evidence_at_ms))

    def _submit(self, event: ZoneEvent) -> Future[Decision | None]:
        try:
            if not self._concerns(event):
                self.counters["passed_over"] += 1
                return _NOTHING_TO_DECIDE
            return self._writer.submit(partial(self._decide, event))
        except StorageError as error:  # its queue is full
            refused: Future[Decision | None] = Future()
            refused.set_exception(error)
            return refused

    def _decide(self, event: ZoneEvent, work: UnitOfWork) -> Decision | None:
        return on_visit(
            event,
            work=work,
            now_ms=self._now_ms(),
            secrets=self._secrets,
            settings=self._settings,
        )


def _outcome(future: Future[Decision | None]) -> BaseException | None:
    try:
        return future.exception(timeout=COMMIT_S_MAX)
    except TimeoutError as error:
        return error
