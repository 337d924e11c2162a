"""disk_spool: what a gateway must not forget."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from firmware_sim.disk_spool import DiskSpool, MessageKey

BOOT = "6f2c9a10b7e4d853"


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[DiskSpool]:
    spool = DiskSpool(tmp_path / "gw.sqlite", messages_max=5)
    yield spool
    spool.close()


def put(spool: DiskSpool, *numbers: int, boot: str = BOOT) -> list[MessageKey]:
    return spool.put([(MessageKey(boot, number), b"payload %d" % number) for number in numbers])


def test_a_message_stays_until_it_is_acknowledged(spool: DiskSpool) -> None:
    """Taking is not forgetting: the line may break after it."""
    put(spool, 0, 1)
    assert spool.take(MessageKey(BOOT, 1)) == b"payload 1"
    assert spool.take(MessageKey(BOOT, 1)) == b"payload 1"
    spool.acknowledge(BOOT, upto=1, missing=[])
    assert spool.take(MessageKey(BOOT, 1)) is None
    assert len(spool) == 0


def test_an_acknowledgement_spares_what_is_missing_and_other_boots(spool: DiskSpool) -> None:
    """{"upto": 2, "missing": [1]}: message 1 has not come and must be sent again."""
    put(spool, 0, 1, 2, 3)
    put(spool, 0, boot="00000000000000ff")
    spool.acknowledge(BOOT, upto=2, missing=[1])
    assert spool.waiting() == [
        MessageKey(BOOT, 1),
        MessageKey(BOOT, 3),
        MessageKey("00000000000000ff", 0),
    ]


def test_the_spool_survives_a_restart(tmp_path: Path) -> None:
    """A gateway that is switched off and on sends what it had not got rid of."""
    before = DiskSpool(tmp_path / "gw.sqlite")
    put(before, 0, 1, 2)
    before.acknowledge(BOOT, upto=0, missing=[])
    before.close()
    after = DiskSpool(tmp_path / "gw.sqlite")
    assert after.waiting() == [MessageKey(BOOT, 1), MessageKey(BOOT, 2)]
    assert after.take(MessageKey(BOOT, 2)) == b"payload 2"
    assert len(after) == 2
    after.close()


def test_a_spool_killed_in_the_middle_keeps_what_was_put(tmp_path: Path) -> None:
    """A kill -9 leaves the file as it is: read it without closing the first one."""
    killed = DiskSpool(tmp_path / "gw.sqlite")
    put(killed, 0, 1)
    after = DiskSpool(tmp_path / "gw.sqlite")
    assert len(after) == 2
    after.close()
    killed.close()


def test_a_full_spool_gives_up_the_oldest_and_counts_it(spool: DiskSpool) -> None:
    """Five messages fit: of seven the first two give way."""
    put(spool, 0, 1, 2, 3, 4)
    given_way = put(spool, 5, 6)
    assert given_way == [MessageKey(BOOT, 0), MessageKey(BOOT, 1)]
    assert len(spool) == 5
    assert spool.dropped == 2


def test_a_boot_id_is_given_once_even_over_restarts(tmp_path: Path) -> None:
    """The same boot with the same numbers would be taken for duplicates and dropped."""
    first = DiskSpool(tmp_path / "gw.sqlite")
    assert first.claim_boot(BOOT)
    first.close()
    second = DiskSpool(tmp_path / "gw.sqlite")
    assert not second.claim_boot(BOOT)
    second.close()
