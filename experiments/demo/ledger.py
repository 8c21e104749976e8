"""The upstream's books: each key's effect at most once, its reply remembered, every request counted. Pure.

request --admit--> rejected | unavailable | drop without effect
|
+--(delay)--> apply --first of its key--> effect, new receipt
+----any later one------> the same receipt, a suppressed duplicate
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypedDict

from experiments.demo.schedule import outcome

if TYPE_CHECKING:
    from experiments.demo.schedule import Kind, Outcome


class KeyReport(TypedDict):
    """What became of one key.

    `outcomes` holds the kind of each of its requests in the order of arrival; `effects` is counted from the book's
    entries, not from the memory that suppresses duplicates; `receipt` is None while there is no effect.
    """

    outcomes: list[Kind]
    effects: int
    receipt: str | None


class Report(TypedDict):
    """Everything a judge needs: totals, and each key that was ever seen."""

    seed: int
    requests: int
    effects: int
    suppressed_duplicates: int
    unavailable: int
    dropped: int
    slow: int
    conflicts: int
    rejected: list[str]
    keys: dict[str, KeyReport]


class AmountConflictError(Exception):
    """The key was used before, with another amount: no reply that is remembered can be right for both."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """The reply that a key's effect earned; a repeated request gets this very one."""

    receipt: str
    key: str
    amount: int


@dataclass(slots=True)
class _Account:
    outcomes: list[Kind] = field(default_factory=list)
    receipt: Receipt | None = None


class Ledger:
    """The books of one upstream.

    Args:
        seed: The seed of its schedule.
    """

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._accounts: dict[str, _Account] = {}
        self._entries: list[Receipt] = []
        self._suppressed = 0
        self._conflicts = 0

    def admit(self, key: str) -> Outcome:
        """Count a request that arrived under `key` and say what is to happen to it."""
        account = self._accounts.setdefault(key, _Account())
        decided = outcome(self._seed, key, len(account.outcomes) + 1)
        account.outcomes.append(decided.kind)
        return decided

    def apply(self, key: str, amount: int) -> Receipt:
        """Apply the effect of an admitted request unless its key has it already.

        Raises:
            AmountConflictError: The key's effect has another amount; nothing is applied.
        """
        account = self._accounts[key]
        known = account.receipt
        if known is None:
            account.receipt = Receipt(f"receipt-{len(self._entries) + 1:06d}", key, amount)
            self._entries.append(account.receipt)
            return account.receipt
        if known.amount != amount:
            self._conflicts += 1
            raise AmountConflictError(
                f"key {key!r} was charged {known.amount} before, now {amount} is asked; use a new key"
            )
        self._suppressed += 1
        return known

    def report(self) -> Report:
        """The books as they stand."""
        effects: dict[str, int] = {}
        for entry in self._entries:
            effects[entry.key] = effects.get(entry.key, 0) + 1
        kinds = [kind for account in self._accounts.values() for kind in account.outcomes]
        return Report(
            seed=self._seed,
            requests=len(kinds),
            effects=len(self._entries),
            suppressed_duplicates=self._suppressed,
            unavailable=kinds.count("unavailable"),
            dropped=kinds.count("drop"),
            slow=kinds.count("slow"),
            conflicts=self._conflicts,
            rejected=sorted(key for key, account in self._accounts.items() if "rejected" in account.outcomes),
            keys={
                key: KeyReport(
                    outcomes=list(account.outcomes),
                    effects=effects.get(key, 0),
                    receipt=account.receipt.receipt if account.receipt is not None else None,
                )
                for key, account in self._accounts.items()
            },
        )
