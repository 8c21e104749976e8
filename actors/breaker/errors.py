"""What a breaker's caller can meet besides its own errors."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from shlex import quote
from typing import NamedTuple

from actors.breaker.published import State
from actors.runtime.errors import SupervisorError

_UNHEARD = "and its owner is not heard: nobody probes until it is"


class Refusing(NamedTuple):
    """What refuses, as `CircuitOpenError` has it, but for what changes from one call to the next.

    Attributes:
        of_process: The breaker is this process's alone, and no command sees it.
    """

    state: State = "open"
    generation: int = 0
    by_itself: bool = False
    owner_heard: bool = True
    of_process: bool = False


class CircuitOpenError(SupervisorError):
    """The breaker does not let the call through; nothing of the user's ran.

    Attributes:
        name: The breaker.
        retry_after_s: When a call may pass, seconds, as far as this process can tell.
        state: What refused it.
        generation: The transition that this state began with, as in the log's table `circuit_breaker_state_history`.
        by_itself: This process's own calls opened it here; the cluster did not.
        owner_heard: False where nobody probes until the breaker's owner is heard.
        of_process: It is a breaker of this process alone, which no command sees.
    """

    def __init__(  # noqa: PLR0913 - what a caller may want to know
        self,
        name: str,
        *,
        retry_after_s: float,
        state: State = "open",
        generation: int = 0,
        by_itself: bool = False,
        owner_heard: bool = True,
        of_process: bool = False,
    ) -> None:
        self.args = (name, retry_after_s, Refusing(state, generation, by_itself, owner_heard, of_process))

    @property
    def name(self) -> str:
        return self.args[0]

    @property
    def retry_after_s(self) -> float:
        return self.args[1]

    @property
    def state(self) -> State:
        return self.args[2].state

    @property
    def generation(self) -> int:
        return self.args[2].generation

    @property
    def by_itself(self) -> bool:
        return self.args[2].by_itself

    @property
    def owner_heard(self) -> bool:
        return self.args[2].owner_heard

    @property
    def of_process(self) -> bool:
        return self.args[2].of_process

    def __str__(self) -> str:
        """Put into words when somebody reads it: most refusals are caught unread, and take a microsecond."""
        tells = "its explain()" if self.of_process else f"supervisor breaker explain {quote(self.name)}"
        return f"breaker {self.name!r} is {self._what()}: {tells}"

    def _what(self) -> str:
        again = f"try again in {self.retry_after_s:.1f} s. Why it opened"
        here = " in this process, by its own calls" if self.by_itself else ""
        match self.state:
            case "forced_open":
                return "forced open until enable or reset. Who did it, and why"
            case "half_open":
                return f"half-open{here}, {'its probes are out' if self.owner_heard else _UNHEARD}; {again}"
            case "ramping":
                return f"ramping, only a part passes; {again}"
            case _ if not self.owner_heard:
                return f"open{here}, {_UNHEARD}; {again}"
            case _:
                return f"open{here}; next probe in {self.retry_after_s:.1f} s. Why it opened"


refusal: Callable[[str, float, Refusing], CircuitOpenError]
refusal = partial(Exception.__new__, CircuitOpenError)
"""One CircuitOpenError in one C call: its name, `retry_after_s`, and what refuses."""


class TooManyBreakersError(SupervisorError):
    """A new name was refused, because so many are in use; most often names are made from data, one per user or URL.

    Attributes:
        name: The one that was refused.
        limit: So many names are taken.
        scope: By whom: "this process" or "the cluster".
        examples: Some of those in use.
        setting: The field of the supervisor's configuration that raises the limit; nothing for a process's own.
    """

    def __init__(self, name: str, *, limit: int, scope: str, examples: tuple[str, ...] = (), setting: str = "") -> None:
        self.name = name
        self.limit = limit
        self.scope = scope
        self.examples = examples
        self.setting = setting
        among = f" (among them {', '.join(map(repr, examples))})" if examples else ""
        super().__init__(
            f"breaker {name!r} is one too many: {scope} has {limit}{among}. Name breakers after what they guard, "
            "a service or a host, not after a user, a request or a full URL"
            + (
                f"; if there are so many of those, raise {setting} (now {limit}) in the configuration"
                if setting
                else ""
            )
        )


class BreakerUnreachableError(SupervisorError):
    """The owner of a breaker did not answer; calls go on by what this process knows."""

    def __init__(self, name: str, *, what: str, reason: str) -> None:
        self.name = name
        self.what = what
        self.reason = reason
        super().__init__(
            f"breaker {name!r}: {what} was not answered by its owner ({reason}). Calls go on by local rules; "
            "try again when a successor has taken over, see supervisor status"
        )
