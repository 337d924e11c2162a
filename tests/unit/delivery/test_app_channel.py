"""AppChannel: frames to open apps, one bounded queue each."""

import asyncio
import threading

from offers.delivery.app_channel import (
    CLOSE_SERVICE_RESTART,
    CLOSE_TRY_AGAIN_LATER,
    AppChannel,
    AppSocket,
    Frame,
)
from offers.model.ids import ShopperId


def opened(channel: AppChannel, shopper: ShopperId) -> AppSocket:
    socket = channel.open(shopper)
    assert socket is not None
    return socket


ANNA = ShopperId("a" * 32)
BEN = ShopperId("b" * 32)


def test_a_frame_reaches_every_open_app_of_the_shopper_and_no_other() -> None:
    """A shopper may have the app open on two phones; nobody else may see the offer."""

    async def scene() -> tuple[list[str], int]:
        channel = AppChannel()
        channel.attach(asyncio.get_running_loop())
        phone, tablet, other = (opened(channel, who) for who in (ANNA, ANNA, BEN))
        channel.hand_over(ANNA, Frame(text="offer"))
        frames = [await phone.next(), await tablet.next()]
        return [frame.text for frame in frames], other._frames.qsize()

    assert asyncio.run(scene()) == (["offer", "offer"], 0)


def test_frames_from_another_thread_arrive_in_their_order() -> None:
    """The relay lives in its own thread; asyncio queues do not forgive a direct put."""

    async def scene() -> list[str]:
        channel = AppChannel()
        channel.attach(asyncio.get_running_loop())
        socket = opened(channel, ANNA)

        def relay() -> None:
            for number in range(50):
                channel.hand_over(ANNA, Frame(text=str(number)))

        thread = threading.Thread(target=relay)
        thread.start()
        frames = [await asyncio.wait_for(socket.next(), 5) for _ in range(50)]
        thread.join()
        return [frame.text for frame in frames]

    assert asyncio.run(scene()) == [str(number) for number in range(50)]


def test_the_65th_waiting_frame_closes_the_socket_with_1013() -> None:
    """An app that does not read must not grow our memory; it resyncs when it comes back."""

    async def scene() -> tuple[int | None, int, int]:
        channel = AppChannel(queue_max=64)
        channel.attach(asyncio.get_running_loop())
        stuck, reading = opened(channel, ANNA), opened(channel, ANNA)
        for number in range(65):
            channel._enqueue(ANNA, Frame(text=str(number)))
            await reading.next()
        await asyncio.wait_for(stuck.ended(), 5)
        return stuck.close_code, channel.counters["overflowed"], len(channel)

    assert asyncio.run(scene()) == (CLOSE_TRY_AGAIN_LATER, 1, 1)


def test_the_64th_waiting_frame_is_still_kept() -> None:
    """The bound is the one that is documented, not one less."""

    async def scene() -> int | None:
        channel = AppChannel(queue_max=64)
        channel.attach(asyncio.get_running_loop())
        socket = opened(channel, ANNA)
        for number in range(64):
            channel._enqueue(ANNA, Frame(text=str(number)))
        return socket.close_code

    assert asyncio.run(scene()) is None


def test_a_sixth_socket_of_one_shopper_is_refused_and_a_closed_one_makes_room() -> None:
    """One stolen token must not be able to hold all connections of the service."""

    async def scene() -> None:
        channel = AppChannel()
        sockets = [channel.open(ANNA) for _ in range(5)]
        assert None not in sockets
        assert channel.open(ANNA) is None
        assert channel.open(BEN) is not None
        assert sockets[0] is not None
        sockets[0].leave()
        sockets[0].leave()
        assert channel.open(ANNA) is not None
        assert len(channel) == 6

    asyncio.run(scene())


def test_the_process_limit_holds_over_all_shoppers() -> None:
    """File descriptors are finite even when every shopper is honest."""
    channel = AppChannel(sockets_max=1)
    channel.open(ANNA)
    assert channel.open(BEN) is None


def test_nothing_is_handed_over_before_the_loop_runs_or_after_it_stopped() -> None:
    """The relay may be quicker than the web server at start, and slower at the stop."""

    async def scene() -> None:
        channel = AppChannel()
        channel.hand_over(ANNA, Frame(text="too early"))
        channel.attach(asyncio.get_running_loop())
        channel.detach()
        channel.hand_over(ANNA, Frame(text="too late"))

    asyncio.run(scene())


def test_ending_all_sockets_of_a_shopper_says_why() -> None:
    """After a revoked token the open apps must go, and go at once."""

    async def scene() -> tuple[int | None, bool, bool]:
        channel = AppChannel()
        channel.attach(asyncio.get_running_loop())
        socket = opened(channel, ANNA)
        channel.close_all(ANNA, CLOSE_SERVICE_RESTART)
        channel.close_all(ANNA, CLOSE_TRY_AGAIN_LATER)
        was_taken = socket.put(Frame(text="late"))
        connected = channel.is_connected(ANNA)
        return socket.close_code, was_taken, connected

    assert asyncio.run(scene()) == (CLOSE_SERVICE_RESTART, False, True)
