"""What a caller, a child and the supervisor say to each other. Pure."""

from __future__ import annotations

import pickle
from dataclasses import dataclass
from typing import Any, Literal

Form = tuple[str, int]
"""Of a state: the name of the class that it is of, and the `checkpoint_version`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """How a child is built. All of it is data that outlives the process that said it.

    Attributes:
        key: `child/<name>`, the groups' names before it: `child/shop.cart`.
        cls: The class, pickled: by reference, or by value where a worker cannot import it.
        class_name: `module.qualname`, for people and for the check of checkpoints.
        arguments: Pickled `(args, kwargs)`, by `actors.runtime.wire.dumps`.
        refs: The ObjectRefs that the arguments point into.
        asynchronous: The class has coroutine or async-generator methods.
        max_concurrency: How many calls may run at the same time.
        checkpoint: Seconds between checkpoints, "each_call", or None for none.
        checkpoint_path: The fsspec URL of a folder; None is the event log.
        state_version: The class's attribute `checkpoint_version`.
        heartbeat_s: How often the supervisor asks whether it lives, seconds.
        keepsake: What the supervisor wants back from it should it lose its own memory; nobody here looks inside.
    """

    key: str
    cls: bytes
    class_name: str
    arguments: bytes
    refs: tuple[Any, ...] = ()
    asynchronous: bool = False
    max_concurrency: int = 1
    checkpoint: float | Literal["each_call"] | None = None
    checkpoint_path: str | None = None
    state_version: int = 1
    heartbeat_s: float = 1.0
    keepsake: bytes = b""

    @property
    def form(self) -> Form:
        """What its states are written by, and can be read by."""
        return self.class_name, self.state_version


Role = Literal["active", "standby"]

CallHeader = tuple[str, int, int, str, int]
"""`(client, number, settled, method, accepted)`, a plain tuple because Ray passes that fast.

client: the id of one handle in one process.
number: 1, 2, 3 ... in the order in which the calls were made through that handle.
settled: every call of this client up to this number has its answer; what is remembered of them may be forgotten.
accepted: the incarnation that the caller's view accepts; one that still stands by and is meant activates itself first.
"""

AnswerKind = Literal["ok", "error", "stale", "standby", "expected", "forgotten", "exited"]
Answer = tuple[AnswerKind, bytes] | tuple[AnswerKind, bytes, list[Any]]
"""`(kind, payload[, refs])`

ok: the pickled value, and the ObjectRefs that it points into.
error: the pickled exception (`actors.worker.raised.pickle_error`).
stale: the accepted incarnation is another one by now, or this one was fenced; the payload is NOT_RUN or empty.
standby: this one is not the accepted one.
expected: an earlier call is missing; the payload is the number to resend from, in decimal digits.
forgotten: a duplicate of a call that ran, whose answer is no longer remembered.
exited: the user's code ended the child during this call; the payload is the exit class.
"""

BUILT = b"built"
IGNORED = b"ignored"
"""What `build` answers: the object lives, or its constructor raised `IgnoreChild`."""

NOT_RUN = b"not run"
"""What a "stale" answer holds when the call never began there; without it, it may have."""

STALE: Answer = ("stale", b"")
STALE_NOT_RUN: Answer = ("stale", NOT_RUN)
STANDBY: Answer = ("standby", b"")
FORGOTTEN: Answer = ("forgotten", b"")


def pack_call(key: str, header: CallHeader, payload: bytes) -> bytes:
    """A call without ObjectRefs as one piece of bytes, for `call_packed`: Ray takes 0.2 ms longer for anything else."""
    return pickle.dumps((key, header, payload), 5)


def unpack_answer(reply: bytes | Answer) -> Answer:
    """What `call_packed` answered."""
    return pickle.loads(reply) if isinstance(reply, bytes) else reply  # noqa: S301 - a child of ours packed it


def unpack_call(packed: bytes) -> tuple[str, CallHeader, bytes]:
    """What `pack_call` was given."""
    return pickle.loads(packed)  # noqa: S301 - a handle of ours packed it


def pack_answer(answer: Answer) -> bytes | Answer:
    """An answer as one piece of bytes; one with ObjectRefs stays as it is, so that Ray sees them."""
    return pickle.dumps(answer, 5) if len(answer) == len(STALE) else answer


def expected(number: int) -> Answer:
    """Calls up to `number` have not all arrived: resend from it on."""
    return ("expected", b"%d" % number)


def exited(exit_class: str) -> Answer:
    """The user's code ended the child: `normal` or `crash`."""
    return ("exited", exit_class.encode())
