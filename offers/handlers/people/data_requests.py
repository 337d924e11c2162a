"""Say when shoppers had their data exported or erased; who they were stays where it is.

Layer: flow. Takes: the audit. Gives: `DataRequest`s to the API. The audit knows an erased shopper
by a keyed fingerprint; even that is not told on.
"""

from types import MappingProxyType
from typing import Final

from offers.model.audit import AuditAction
from offers.model.people.kept_data import DataRequest, DataRequestKind
from offers.ports import UnitOfWork
from rtls.model.units import UnixMs

KINDS: Final = MappingProxyType(
    {
        AuditAction.SHOPPER_EXPORTED.value: DataRequestKind.EXPORT,
        AuditAction.SHOPPER_ERASED.value: DataRequestKind.ERASURE,
    }
)


def data_requests(*, work: UnitOfWork, since_ms: UnixMs, limit: int) -> tuple[DataRequest, ...]:
    """Return the newest requests since an instant, newest first."""
    actions = (AuditAction.SHOPPER_EXPORTED, AuditAction.SHOPPER_ERASED)
    found = work.audit.of_actions(actions, since_ms=since_ms, limit=limit)
    return tuple(DataRequest(kind=KINDS[one.action], at_ms=one.at_ms) for one in found)
