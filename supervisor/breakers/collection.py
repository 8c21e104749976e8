"""All breakers of a supervisor, to look at and to control: by name, or by a glob of names."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, wait
from dataclasses import dataclass, replace
from fnmatch import translate
from typing import TYPE_CHECKING, Any

import ray
from ray.exceptions import GetTimeoutError, RayError

from actors.breaker import messages as m
from actors.breaker.errors import BreakerUnreachableError
from actors.breaker.handle import CONTROL_WAIT_S, BreakerHandle, linked_breaker
from actors.breaker.insight import Explanation, explain, health_score
from actors.breaker.names import GLOB, checked_name
from actors.breaker.on_record import checked_words
from actors.breaker.packing import unpack_settings
from actors.breaker.settings import BreakerSettings, changed, check_changes
from actors.runtime.asker import who as this_user
from actors.runtime.clock import SYSTEM_CLOCK
from actors.runtime.errors import ConfigError, EventLogError, SupervisorError
from actors.runtime.ids import NAMESPACE
from actors.runtime.settings import shown

if TYPE_CHECKING:
    from actors.breaker.published import State
    from actors.breaker.remote import RayLink
    from actors.breaker.view import BreakerView
    from supervisor.breakers.process import LiveHomes
    from supervisor.events import Events

_ANSWER_S = 5.0
_LOGGED = "SELECT breaker, state FROM circuit_breakers ORDER BY breaker"


class UnknownBreakerError(SupervisorError):
    """No breaker of that name, or none that a glob matches."""

    def __init__(self, pattern: str, *, known: tuple[str, ...]) -> None:
        self.pattern = pattern
        self.known = known
        there = f"there are: {', '.join(known[:10])}{', ...' if len(known) > 10 else ''}" if known else "there are none"  # noqa: PLR2004 - enough to recognise
        super().__init__(f"no breaker matches {pattern!r}; {there}. A breaker comes into being with its first use")


class PartlyDoneError(SupervisorError):
    """What was asked of several breakers was done to some of them; the others stay as they are, or may yet follow.

    Attributes:
        action: What was asked for.
        done: The names that it was done to; that holds, and is on record.
        failed: The others, each with the reason.
    """

    def __init__(self, action: str, *, done: tuple[str, ...], failed: dict[str, str]) -> None:
        self.action = action
        self.done = done
        self.failed = failed
        reasons = "; ".join(f"{name}: {reason}" for name, reason in failed.items())
        super().__init__(
            f"{action.replace('_', ' ')} was done to {len(done)} of {len(done) + len(failed)} breakers "
            f"({', '.join(done) or 'none'}), and not to {', '.join(failed)}. Ask again for these; {reasons}"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakerStatus:
    """One breaker at one moment.

    Attributes:
        name: Its name.
        state: Its state.
        owner: The actor that owns it, or None while none runs: the state is what the log has then.
        view: Everything that its owner knows, or None.
    """

    name: str
    state: State
    owner: str | None
    view: BreakerView | None = None

    @property
    def health_score(self) -> int | None:
        """0 to 100, or None while its owner does not answer."""
        return None if self.view is None else health_score(self.view)

    def explain(self) -> Explanation | None:
        """Why it is in its state, or None while its owner does not answer."""
        return None if self.view is None else explain(self.view)


class Breakers(Sequence[BreakerStatus]):
    """The breakers of a supervisor as they were when this was made, sorted by name.

    What controls takes a name or a glob (`pay*`), and reaches every process.
    """

    def __init__(self, link: RayLink, homes: LiveHomes, events: Events) -> None:
        self._link = link
        self._homes = homes
        self._events = events
        self._all = {each.name: each for each in sorted(self._look(), key=lambda each: each.name)}

    def __len__(self) -> int:
        return len(self._all)

    def __iter__(self) -> Iterator[BreakerStatus]:
        return iter(self._all.values())

    def __getitem__(self, index: Any) -> Any:
        """One by its name or its place, or several by a slice."""
        return self._all[index] if isinstance(index, str) else list(self._all.values())[index]

    def __contains__(self, value: object) -> bool:
        """Whether there is one of this name."""
        return value in self._all if isinstance(value, str) else super().__contains__(value)

    def __repr__(self) -> str:
        return f"<breakers: {', '.join(f'{each.name} {each.state}' for each in self) or 'none'}>"

    @property
    def names(self) -> tuple[str, ...]:
        """All names."""
        return tuple(self._all)

    def matching(self, pattern: str) -> tuple[str, ...]:
        """The names that a name or a glob means.

        Raises:
            ConfigError: It is no text.
            UnknownBreakerError: It means none.
        """
        _checked_pattern(pattern)
        fits = re.compile(translate(pattern)).fullmatch
        found = tuple(name for name in self._all if name == pattern or fits(name))
        if not found:
            raise UnknownBreakerError(pattern, known=self.names)
        return found

    def breaker(self, name: str) -> BreakerHandle:
        """The handle of one of them."""
        return linked_breaker(self._link, name)

    # -- control ----------------------------------------------------------------------------------------------------

    def reset(self, pattern: str, *, reason: str, who: str | None = None) -> tuple[str, ...]:
        """Close these, whatever they were.

        Args:
            pattern: A name, or a glob of names.
            reason: Why, in a line; it is on record, beside who asked.
            who: Who asks; None: this user, host and process.

        Returns: The names that it was done to.
        Raises:
            ConfigError: One of them is no line of text; nothing was done.
            UnknownBreakerError: There is none of that name, or none that the glob matches.
            BreakerUnreachableError: The owner did not answer, so that it may or may not happen.
            PartlyDoneError: Of several it was done to some, or to none; it says to which, and why not to the others.
        """
        return self._control("reset", pattern, reason, who)

    def force_open(self, pattern: str, *, reason: str, who: str | None = None) -> tuple[str, ...]:
        """Let no call of these through, until `enable` or `reset`. A name may be one that nobody has used yet.

        Raises:
            TooManyBreakersError: It is one, and the cluster has no room for it; no actor is started for that.
        """
        return self._control("force_open", pattern, reason, who)

    def disable(self, pattern: str, *, reason: str, who: str | None = None) -> tuple[str, ...]:
        """Let all calls through and count none, until `enable` or `reset`."""
        return self._control("disable", pattern, reason, who)

    def shadow(self, pattern: str, *, reason: str, who: str | None = None) -> tuple[str, ...]:
        """Let all calls through and count all, until `enable` or `reset`."""
        return self._control("shadow", pattern, reason, who)

    def enable(self, pattern: str, *, reason: str, who: str | None = None) -> tuple[str, ...]:
        """Take back `force_open`, `disable` and `shadow`."""
        return self._control("enable", pattern, reason, who)

    def configure(self, pattern: str, *, reason: str, who: str | None = None, **changes: Any) -> tuple[str, ...]:
        """Change fields of the settings of these; each keeps the others of its own.

        Raises:
            ConfigError: The result contradicts itself, a field is unknown, none was given, or `reason` or `who` is no
                line of text; nothing was changed.
            BreakerUnreachableError: The owner did not answer.
            PartlyDoneError: Of several it was done to some, or to none; it says to which, and why not to the others.
        """
        by = _asker("configure", who, reason)
        check_changes(changes)
        names = self.matching(pattern)
        wanted = {name: changed(self._settings(name), **changes) for name in names}
        events = {
            name: m.ConfigureRequested(settings=settings, who=by, reason=reason) for name, settings in wanted.items()
        }
        return self._ask("configure", events)

    def _settings(self, name: str) -> BreakerSettings:
        view = self._all[name].view
        return view.settings if view is not None else _answer(name, self._link.view(name)).settings

    def _control(self, action: m.Action, pattern: str, reason: str, who: str | None) -> tuple[str, ...]:
        by = _asker(action, who, reason)
        _checked_pattern(pattern)
        is_glob = any(letter in pattern for letter in GLOB)
        may_be_new = action in ("force_open", "disable", "shadow") and not is_glob
        if may_be_new:
            self._link.check(checked_name(pattern))
        names = (pattern,) if may_be_new else self.matching(pattern)
        event = m.ControlRequested(action=action, who=by, reason=reason)
        return self._ask(action, dict.fromkeys(names, event))

    def _ask(self, action: str, events: dict[str, Any]) -> tuple[str, ...]:
        """Each is asked, whatever becomes of the others; those that are silent are waited for together."""
        asked = _Asked({name: self._link.control(name, event) for name, event in events.items()})
        failed: dict[str, Exception] = {}
        for name in events:
            try:
                asked.answer(name)
            except Exception as error:  # noqa: BLE001 - an owner's answer: told with its name
                failed[name] = error
        if failed and len(events) == 1:
            raise next(iter(failed.values()))
        if failed:
            reasons = {name: str(error) or type(error).__name__ for name, error in failed.items()}
            raise PartlyDoneError(action, done=tuple(name for name in events if name not in failed), failed=reasons)
        return tuple(events)

    # -- looking ----------------------------------------------------------------------------------------------------

    def _look(self) -> list[BreakerStatus]:
        asked: dict[Any, str] = {}
        for owner in self._homes.owners():
            try:
                asked[ray.get_actor(owner, namespace=NAMESPACE).views.remote()] = owner
            except ValueError:
                continue  # it has just died; the log has its breakers
        found: dict[str, BreakerStatus] = {}
        for ref in ray.wait(list(asked), num_returns=len(asked), timeout=_ANSWER_S)[0] if asked else ():
            try:
                views: Any = ray.get(ref)
            except (RayError, GetTimeoutError):
                continue
            for name, plain, packed in views:
                view = replace(plain, settings=unpack_settings(packed))
                found[name] = BreakerStatus(name=name, state=view.published.state, owner=asked[ref], view=view)
        for name, state in self._in_log():
            found.setdefault(name, BreakerStatus(name=name, state=state, owner=None))
        return list(found.values())

    def _in_log(self) -> list[tuple[str, State]]:
        """Those that were used before this life of the cluster, and whose owner is lost."""
        try:
            return [(row["breaker"], row["state"]) for row in self._events.query(_LOGGED)]
        except (EventLogError, SupervisorError):
            return []


class _Asked:
    """Several owners that were asked at once: whoever is silent has until nobody has answered for `CONTROL_WAIT_S`."""

    def __init__(self, asked: dict[str, Future[Any]]) -> None:
        self._asked = asked
        self._heard_at = SYSTEM_CLOCK.now()
        for done in asked.values():
            done.add_done_callback(self._hear)

    def _hear(self, _: Future[Any]) -> None:
        self._heard_at = SYSTEM_CLOCK.now()

    def answer(self, name: str) -> Any:
        """What was answered for this one.

        Raises: what its owner raised, or BreakerUnreachableError.
        """
        done = self._asked[name]
        while not done.done():
            left_s = self._heard_at + CONTROL_WAIT_S - SYSTEM_CLOCK.now()
            if left_s <= 0:
                reason = f"no answer within {CONTROL_WAIT_S:g} s"
                raise BreakerUnreachableError(name, what="a request", reason=reason)
            wait((done,), timeout=left_s)
        return done.result()


def _answer(name: str, done: Future[Any]) -> Any:
    """What one owner answered."""
    return _Asked({name: done}).answer(name)


def _checked_pattern(pattern: Any) -> None:
    if not isinstance(pattern, str):
        problem = f"must be a text, not {type(pattern).__name__}; give a name, or a glob as 'pay*'"
        raise ConfigError(f"name or glob {shown(pattern)} of breakers", problems=(problem,))


def _asker(action: str, given: str | None, reason: str) -> str:
    by = this_user() if given is None else given
    checked_words(action, who=by, reason=reason)
    return by
