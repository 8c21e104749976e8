"""A call machine in virtual time, and the words in which its tests say what happens and what it commands."""

from __future__ import annotations

import pickle
from collections.abc import Sequence
from random import Random
from typing import Any

from actors.recovery.retry import Retry
from supervisor.children import call as do
from supervisor.children.call import Call, Sent
from supervisor.children.machine import CallMachine
from supervisor.children.settings import CALL_RETRY, CallSettings

KEY = "child/c"
BOOM = ValueError("boom")
NEVER = Retry(attempts=5, on=(), unknown="never")


class Scene:
    """A machine whose child's incarnation `c#1` serves, unless `served` says otherwise."""

    def __init__(self, *, served: bool = True, machine: Any = None, **more: Any) -> None:
        facts = {name: more.pop(name) for name in ("replayable", "concurrency", "mobile") if name in more}
        self.settings = CallSettings(**more)
        self.now = 10.0
        self.calls: list[Call] = []
        self.sent: dict[int, Sent] = {}
        self.headers: dict[int, Any] = {}
        self.machine: Any = machine or CallMachine(KEY, "me", self.settings, Random(7), pickle.loads, **facts)
        if served:
            self.route(1)

    def index(self, call: Call) -> int:
        return self.calls.index(call)

    def told(self, commands: Sequence[do.Command]) -> list[Any]:
        """The commands in short; calls are told by their index. Remembers what was sent."""
        short: list[Any] = []
        for command in commands:
            match command:
                case do.SendCall(call=call, host=host, sent=sent, header=header):
                    self.sent[self.index(call)] = sent
                    self.headers[self.index(call)] = header
                    short.append(("send", self.index(call), host, sent.number))
                case do.ResolveCall(call=call, payload=payload):
                    short.append(("ok", self.index(call), payload))
                case do.FailCall(call=call, error=error):
                    short.append(("fail", self.index(call), type(error).__name__))
                case do.GiveBack(call=call):
                    short.append(("back", self.index(call)))
                case do.LookOut():
                    short.append("look out")
        return short

    # -- events -----------------------------------------------------------------------------------------------------

    def make(self, count: int = 1, retry: Retry = CALL_RETRY, **fields: Any) -> list[Any]:
        """Make calls; `0`, `1` ... is the name of each."""
        short: list[Any] = []
        for _ in range(count):
            call = Call("m", b"", (), retry, **fields)
            self.calls.append(call)
            short += self.told(self.machine.made(call, self.now))
        return short

    def route(self, incarnation: int, *, key: str = KEY, host: bool = True) -> list[Any]:
        name = f"{key.partition('/')[2]}#{incarnation}" if host else None
        return self.told(self.machine.routed(key, incarnation, name, self.now))

    def answer(self, index: int, kind: str = "ok", payload: bytes = b"", *, sent: Sent | None = None) -> list[Any]:
        return self.told(self.machine.answered(sent or self.sent[index], kind, payload, (), self.now))

    def raised(self, index: int, error: BaseException = BOOM) -> list[Any]:
        return self.answer(index, "error", pickle.dumps(error))

    def lose(self, index: int) -> list[Any]:
        return self.told(self.machine.lost(self.sent[index], self.now))

    def miss(self, index: int, sent: Sent | None = None) -> list[Any]:
        return self.told(self.machine.unavailable(sent or self.sent[index], self.now))

    def die(self, incarnation: int = 1, key: str = KEY) -> list[Any]:
        return self.told(self.machine.died(key, incarnation, self.now))

    def end(self, error: BaseException, key: str = KEY, **how: bool) -> list[Any]:
        return self.told(self.machine.gone(key, error, self.now, **how))

    def back(self) -> list[Any]:
        return self.told(self.machine.back(self.now))

    def give_up(self, index: int, error: BaseException | None = None) -> list[Any]:
        return self.told(self.machine.given_up(self.calls[index], error))

    def wait(self, seconds: float) -> list[Any]:
        """Time goes on; whatever is due on the way is decided when it is."""
        short: list[Any] = []
        until = self.now + seconds
        while (due := self.machine.next_timer()) is not None and due <= until:
            self.now = max(self.now, due)
            short += self.told(self.machine.timer(self.now))
        self.now = until
        return short
