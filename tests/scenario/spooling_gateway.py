"""A gateway with a spool, for tests: keeps each message until `down` says that it is stored."""

import json
import threading
import time
from collections.abc import Callable

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

RESEND_S = 0.5  # the protocol says 2 s; tests are in a hurry
RESEND_S_MAX = 8.0  # doubling up to here, as it says: or a long wait would become a flood


class SpoolingGateway:
    """Publishes to one topic with QoS 1 and sends again what is not acknowledged end to end."""

    def __init__(self, port: int, *, gateway: str, boot: str, clock: Callable[[], int]) -> None:
        self.gateway = gateway
        self.boot = boot
        self.sent = 0
        self.resent = 0
        self.spool: dict[int, bytes] = {}
        self._clock = clock
        self._due_at: dict[int, float] = {}
        self._waits_s: dict[int, float] = {}
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self.client = paho.Client(
            CallbackAPIVersion.VERSION2, gateway, protocol=MQTTProtocolVersion.MQTTv5
        )
        self.client.on_connect = lambda client, *_: client.subscribe(self._topic("down"), qos=1)
        self.client.on_message = self._on_down
        self.client.reconnect_delay_set(1, 1)
        self.client.connect_async("127.0.0.1", port, clean_start=True)
        self.client.loop_start()
        self._thread = threading.Thread(target=self._resend, daemon=True)
        self._thread.start()

    def hear(self, value: float) -> None:
        """Put one reading into the spool and send it."""
        with self._lock:
            seq, self.sent = self.sent, self.sent + 1
            reading = {"id": "tag:1", "k": "range", "v": value}
            low = min(self.spool, default=seq)
            head = {"v": 1, "boot": self.boot, "seq": seq, "low": low, "t": self._clock()}
            self.spool[seq] = json.dumps({**head, "obs": [reading]}).encode()
            self._waits_s[seq] = RESEND_S
            self._due_at[seq] = time.monotonic() + RESEND_S
        self.client.publish(self._topic("up"), self.spool.get(seq, b""), qos=1)

    def close(self) -> None:
        self._stop.set()
        self._thread.join(5)
        self.client.disconnect()
        self.client.loop_stop()

    def _topic(self, what: str) -> str:
        return f"inaisle/v1/gw/{self.gateway}/{what}"

    def _on_down(self, _client, _userdata, message) -> None:
        down = json.loads(message.payload)
        if down["boot"] != self.boot:
            return
        with self._lock:
            for seq in list(self.spool):
                if seq <= down["upto"] and seq not in down["missing"]:
                    del self.spool[seq], self._due_at[seq], self._waits_s[seq]

    def _resend(self) -> None:
        while not self._stop.wait(RESEND_S / 5):
            now = time.monotonic()
            with self._lock:
                due = [seq for seq in self.spool if now > self._due_at[seq]]
                for seq in due:
                    self._waits_s[seq] = min(2.0 * self._waits_s[seq], RESEND_S_MAX)
                    self._due_at[seq] = now + self._waits_s[seq]
                payloads = [self.spool[seq] for seq in due]
            if self.client.is_connected():
                for payload in payloads:
                    self.resent += 1
                    self.client.publish(self._topic("up"), payload, qos=1)
