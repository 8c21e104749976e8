"""Who holds which version of the ledger and the view: one message under way to each, the newest next. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

Versions = tuple[int, int]
"""Of the ledger and of the view; 0: none."""


@dataclass(slots=True)
class _Receiver:
    held: Versions = (0, 0)
    busy: bool = False


class Spread:
    """One leader's bookkeeping of its copies."""

    def __init__(self) -> None:
        self._receivers: dict[str, _Receiver] = {}

    def keep_only(self, names: Collection[str]) -> None:
        """These are the receivers; what is known of others is forgotten."""
        for name in self._receivers.keys() - set(names):
            del self._receivers[name]
        for name in names:
            self._receivers.setdefault(name, _Receiver())

    def to_send(self, newest: Mapping[str, Versions]) -> list[tuple[str, bool, bool]]:
        """Who is to be sent something now, and whether the ledger and the view are news to him; they are busy then.

        Args:
            newest: By receiver, the versions that he should hold.
        """
        due: list[tuple[str, bool, bool]] = []
        for name, (ledger, view) in newest.items():
            receiver = self._receivers.get(name)
            if receiver is None or receiver.busy:
                continue
            news = (ledger > receiver.held[0], view > receiver.held[1])
            if any(news):
                receiver.busy = True
                due.append((name, *news))
        return due

    def answered(self, name: str, held: Versions | None) -> None:
        """A message to `name` was answered: he holds these versions, or None when it went wrong."""
        receiver = self._receivers.get(name)
        if receiver is None:
            return
        receiver.busy = False
        if held is not None:
            receiver.held = (max(receiver.held[0], held[0]), max(receiver.held[1], held[1]))

    def speak_to(self, name: str) -> list[tuple[str, bool, bool]]:
        """A message without news, unless one to him is under way; he is busy then."""
        receiver = self._receivers.get(name)
        if receiver is None or receiver.busy:
            return []
        receiver.busy = True
        return [(name, False, False)]

    def is_safe(self, ledger: int, standby: str | None) -> bool:
        """Whether that version of the ledger outlives the leader: its standby holds it; without one, any receiver."""
        if standby is not None:
            receiver = self._receivers.get(standby)
            return receiver is not None and receiver.held[0] >= ledger
        return any(receiver.held[0] >= ledger for receiver in self._receivers.values())
