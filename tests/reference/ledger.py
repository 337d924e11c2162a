"""A wallet of single points, each a token of its own that is moved by hand.

Layer: tests. Takes: what happened, one after the other. Gives: what the wallet must hold.
Slow and plainly right: no amount is ever split, since one token cannot be.
"""

from dataclasses import dataclass, field


@dataclass
class Token:
    """One point."""

    lot: "PlainLot"
    place: str = "open"


@dataclass
class PlainLot:
    """What one earning brought."""

    number: int
    active_at_ms: int
    expires_at_ms: int
    tokens: list[Token] = field(default_factory=list)

    def at(self, place: str) -> list[Token]:
        return [token for token in self.tokens if token.place == place]


@dataclass
class PlainWallet:
    """Lots in the order in which they came, spendings by name, and a debt."""

    lots: dict[str, PlainLot] = field(default_factory=dict)
    spendings: dict[str, list[Token]] = field(default_factory=dict)
    debt: int = 0
    granted: int = 0
    redeemed: int = 0
    expired: int = 0
    number: int = 0

    @property
    def open(self) -> int:
        return sum(len(lot.at("open")) for lot in self.lots.values())

    def available(self, now_ms: int) -> int:
        return len(self._open_tokens(now_ms, is_active=True))

    def pass_time(self, now_ms: int) -> None:
        for lot in self.lots.values():
            for token in lot.at("open"):
                if now_ms >= lot.expires_at_ms:
                    token.place = "expired"
                    self.expired += 1

    def earn(self, name: str, count: int, *, active_at_ms: int, expires_at_ms: int) -> None:
        lot = self._lot(name, active_at_ms, expires_at_ms)
        for _ in range(count):
            self.granted += 1
            self._receive(Token(lot))

    def spend(self, name: str, count: int, *, now_ms: int) -> bool:
        tokens = self._open_tokens(now_ms, is_active=True)[:count]
        if len(tokens) < count:
            return False
        for token in tokens:
            token.place = "spent"
        self.spendings[name] = tokens
        self.redeemed += count
        return True

    def claw_back(self, name: str, count: int, *, now_ms: int) -> None:
        own = self.lots[name]
        for _ in range(count):
            self.granted -= 1
            expired = own.at("expired")
            usable = [
                *own.at("open"),
                *expired,
                *self._open_tokens(now_ms, is_active=True),
                *self._open_tokens(now_ms, is_active=False),
            ]
            if not usable:
                self.debt += 1
                continue
            if usable[0].place == "expired":
                self.expired -= 1
            usable[0].place = "clawed back"

    def give_back(self, name: str, count: int, *, now_ms: int, grace_ms: int) -> None:
        fresh = None
        for _ in range(count):
            self.redeemed -= 1
            token = self.spendings[name].pop()
            if self.debt:
                self.debt -= 1
                token.place = "repaid"
            elif now_ms < token.lot.expires_at_ms:
                token.place = "open"
            else:
                fresh = fresh or self._lot(f"grace {self.number}", now_ms, now_ms + grace_ms)
                fresh.tokens.append(Token(fresh))

    def _receive(self, token: Token) -> None:
        token.lot.tokens.append(token)
        if self.debt:
            self.debt -= 1
            token.place = "repaid"

    def _lot(self, name: str, active_at_ms: int, expires_at_ms: int) -> PlainLot:
        self.number += 1
        self.lots[name] = PlainLot(self.number, active_at_ms, expires_at_ms)
        return self.lots[name]

    def _open_tokens(self, now_ms: int, *, is_active: bool) -> list[Token]:
        lots = [lot for lot in self.lots.values() if (lot.active_at_ms <= now_ms) == is_active]
        lots.sort(key=lambda lot: (lot.expires_at_ms, lot.number))
        return [token for lot in lots for token in lot.at("open")]
