"""What leaves the house is there where the settings say so, and nowhere else."""

from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from inaisle.errors import InvalidSettings
from inaisle.service.messages_side import MessagesSide, smtp_access
from inaisle.settings_sections import DeliverySection
from offers.delivery.mail import SmtpSecurity
from offers.model.errors import InvalidContact
from offers.model.ids import CaseAnswerId, OfferId
from rtls.model.units import UnixMs
from tests.unit.delivery.test_relay import DirectWriter
from tests.unit.offers.shop import SITE_MAP, START_MS, CountedSecrets, memory_engine, scratch_work

MAIL = {
    "smtp_host": "127.0.0.1",
    "mail_from": "card@shop.example",
    "public_url": "https://card.shop.example",
    "smtp_password": "hunter2",
}


@pytest.fixture(scope="module")
def engine() -> Iterator[sa.Engine]:
    with memory_engine() as made:
        yield made


@pytest.fixture
def side(engine: sa.Engine):
    with scratch_work(engine) as work:
        writer = DirectWriter(work)

        def make(**settings: object) -> MessagesSide:
            return MessagesSide(
                DeliverySection(**settings),
                writer=writer,
                reader=writer,
                secrets=CountedSecrets(),
                now_ms=lambda: UnixMs(START_MS),
                site_map=SITE_MAP,
            )

        yield make


def test_nothing_is_pushed_or_mailed_unless_somebody_set_it_up(side) -> None:
    """A demo, and a shop that has not decided yet, disturb nobody."""
    made = side()
    assert made.push_key is None
    made.unseen(OfferId("a" * 32))
    made.answered(CaseAnswerId("a" * 32))
    assert [name for name, _ in made.counters()] == ["inaisle_webhooks"]
    made.stop()


def test_pushes_need_an_address_and_mails_a_server(side) -> None:
    """Each part that is set up is counted and watched."""
    made = side(contact="mailto:operator@shop.example", **MAIL)
    assert made.push_key is not None
    names = [f"inaisle_{part}" for part in ("pushes", "case_answers", "mails", "webhooks")]
    assert [name for name, _ in made.counters()] == names
    assert made.fault() == "pushes have ended"
    made.stop()


@pytest.mark.parametrize(
    ("settings", "error"),
    [
        ({"contact": "operator@shop.example"}, InvalidSettings),
        ({"smtp_host": "mail.example.com"}, InvalidSettings),
        (MAIL | {"public_url": None}, InvalidSettings),
        ({"quiet_from": "9 pm"}, InvalidContact),
    ],
)
def test_settings_that_cannot_be_meant_are_refused_at_the_start(
    side, settings: dict[str, object], error: type[Exception]
) -> None:
    """Not at the first mail, in the middle of the night."""
    with pytest.raises(error, match="expected"):
        side(**settings)


def test_the_way_to_the_mail_server_is_sealed_unless_told_otherwise() -> None:
    """A password over an open line is a password for all."""
    access = smtp_access(DeliverySection(**MAIL))
    assert access is not None
    assert access.security is SmtpSecurity.STARTTLS
    assert access.password == MAIL["smtp_password"]
    assert "hunter2" not in repr(access)
