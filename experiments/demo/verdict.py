"""Did the demo keep its promise? What was submitted and how it ended, held against the upstream's own books. Pure.

The upstream is the witness: it lives outside everything that is killed and counts effects itself. The rules:

- every submitted key ends, as a success or a failure: else it is lost;
- no key has two effects: else it is doubled;
- a success has its effect and the upstream's very receipt: else it is invented;
- a failure names what the upstream did to the key's last request (422, 503, connection closed): else it is invented.
  A lost worker, a timeout or an unknown outcome is never the upstream's doing, however flaky it was before.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from experiments.demo.ledger import KeyReport, Report
    from experiments.demo.schedule import Kind

_CAUSES: Mapping[str, Kind] = {
    "PaymentRejected": "rejected",
    "UpstreamUnavailable": "unavailable",
    "ConnectionError": "drop",
}
"""By exception type: what the upstream must have done for it to be honest."""


@dataclass(frozen=True, slots=True)
class Paid:
    """A key that ended well; `receipt` is the id in the receipt that the caller got."""

    receipt: str


@dataclass(frozen=True, slots=True)
class Failed:
    """A key that ended badly.

    Attributes:
        types: The names of the exception's classes, its own first.
        message: Its text, for people.
    """

    types: tuple[str, ...]
    message: str

    @classmethod
    def of(cls, error: BaseException) -> Failed:
        """The ending that this exception reports."""
        return cls(tuple(each.__name__ for each in type(error).__mro__), str(error))


Ending = Paid | Failed


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The judgement; each tuple holds the offending keys, in the order submitted.

    Attributes:
        lost: Submitted and never ended.
        doubled: More than one effect.
        invented_successes: Reported as paid, but the upstream has no effect or another receipt.
        invented_failures: Reported as failed for a reason that the upstream did not give.
        strangers: Ended or charged, but never submitted.
        problems: All of that in plain words, and whatever makes the books themselves doubtful.
    """

    accepted: int
    succeeded: int
    failed: int
    lost: tuple[str, ...]
    doubled: tuple[str, ...]
    invented_successes: tuple[str, ...]
    invented_failures: tuple[str, ...]
    strangers: tuple[str, ...]
    problems: tuple[str, ...]

    @property
    def ok(self) -> bool:
        """Whether every promise was kept."""
        return not self.problems


def judge(*, submitted: Iterable[str], endings: Mapping[str, Ending], report: Report) -> Verdict:
    """Hold the endings against the books.

    Args:
        submitted: Every key that was accepted.
        endings: How each of them ended, as its caller saw it.
        report: The upstream's books, read after the last task ended.
    """
    keys = list(dict.fromkeys(submitted))
    books = report["keys"]
    paid = {key: end for key, end in endings.items() if isinstance(end, Paid)}
    failed = {key: end for key, end in endings.items() if isinstance(end, Failed)}
    lost = [key for key in keys if key not in endings]
    doubled = [key for key, book in books.items() if book["effects"] > 1]
    known = set(keys)
    strangers = [key for key in dict.fromkeys([*endings, *books]) if key not in known]
    bad_successes = {key: text for key, end in paid.items() if (text := _doubt_success(end, books.get(key)))}
    bad_failures = {key: text for key, end in failed.items() if (text := _doubt_failure(end, books.get(key)))}
    return Verdict(
        accepted=len(keys),
        succeeded=len(paid),
        failed=len(failed),
        lost=tuple(lost),
        doubled=tuple(doubled),
        invented_successes=tuple(bad_successes),
        invented_failures=tuple(bad_failures),
        strangers=tuple(strangers),
        problems=(
            *(f"{key} was accepted and never ended" for key in lost),
            *(f"{key} was charged {books[key]['effects']} times" for key in doubled),
            *(f"{key} is reported as paid, but {text}" for key, text in bad_successes.items()),
            *(f"{key} is reported as failed, but {text}" for key, text in bad_failures.items()),
            *(f"{key} ended or reached the upstream, but was never submitted" for key in strangers),
            *_doubt_books(report),
        ),
    )


def _doubt_success(end: Paid, book: KeyReport | None) -> str | None:
    if book is None or book["effects"] == 0:
        return "the upstream never charged it"
    if end.receipt != book["receipt"]:
        return f"its receipt is {end.receipt}, the upstream's is {book['receipt']}"
    return None


def _doubt_failure(end: Failed, book: KeyReport | None) -> str | None:
    if book is None or not book["outcomes"]:
        return f"the upstream never saw it ({end.types[0]}: {end.message})"
    cause = next((_CAUSES[name] for name in end.types if name in _CAUSES), None)
    if cause is None:
        return f"{end.types[0]} is not the upstream's doing ({end.message})"
    last = book["outcomes"][-1]
    if last != cause:
        return f"{end.types[0]} means {cause}, and the upstream's last word was {last}"
    return None


def _doubt_books(report: Report) -> list[str]:
    books = report["keys"].values()
    counted = {
        "effects": sum(book["effects"] for book in books),
        "requests": sum(len(book["outcomes"]) for book in books),
    }
    totals = {"effects": report["effects"], "requests": report["requests"]}
    return [
        f"the upstream's books do not add up: {total} {name} in all, {counted[name]} by key"
        for name, total in totals.items()
        if total != counted[name]
    ]
