"""What a handle knows of its child's class: names of methods, which of them stream, how each is tried again. Pure."""

from __future__ import annotations

import difflib
import hashlib
import inspect
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from actors.recovery.retry import Retry
from supervisor.children.settings import CALL_RETRY

MethodKind = Literal["call", "stream"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildInterface:
    """A child as its callers see it; plain data, so that a caller need not be able to import the class.

    Attributes:
        class_name: `module.qualname`, for people.
        methods: Its public methods, and whether they answer once or are generators.
        open: The class answers to any name (`__getattr__`).
        retry: How a call is tried again.
        retries: The same for single methods, by name.
        each_call: The child's state and answers are replicated after each call.
        concurrency: How many calls may run in it at a time.
        breaker: The circuit breaker that its calls pass.
        digest: What a view announces of it: whoever calls by one with another digest looks it up anew.
    """

    class_name: str
    methods: Mapping[str, MethodKind]
    open: bool = False
    retry: Retry = CALL_RETRY
    retries: Mapping[str, Retry] = field(default_factory=dict[str, Retry])
    each_call: bool = False
    concurrency: int = 1
    breaker: str | None = None
    digest: str = ""

    @classmethod
    def of(cls, user: type[Any], **fields: Any) -> ChildInterface:
        """The interface of a user's class; `fields` are those that its spec tells."""
        made = cls(
            class_name=f"{user.__module__}.{user.__qualname__}",
            methods=methods_of(user),
            open=hasattr(user, "__getattr__"),
            **fields,
        )
        return replace(made, digest=hashlib.blake2b(repr(made).encode(), digest_size=8).hexdigest())

    def kind(self, name: str) -> MethodKind:
        """Whether a method answers once or streams.

        Raises:
            AttributeError: It is private, or there is none of that name; the message names close ones.
        """
        kind = self.methods.get(name)
        if kind is not None:
            return kind
        if name.startswith("_"):
            raise AttributeError(f"{self.class_name}.{name} is private; only public methods can be called from outside")
        if self.open:
            return "call"
        raise AttributeError(f"{self.class_name} has no method {name!r}; {self._close_to(name)}")

    def retry_of(self, name: str) -> Retry:
        """How calls of this method are tried again."""
        return self.retries.get(name, self.retry)

    def _close_to(self, name: str) -> str:
        near = difflib.get_close_matches(name, self.methods, n=3, cutoff=0.5)
        if near:
            return f"did you mean {', '.join(repr(one) for one in near)}?"
        return f"it has: {', '.join(sorted(self.methods)[:10]) or 'none that is public'}"


def methods_of(user: type[Any]) -> dict[str, MethodKind]:
    """The public methods of a class, inherited ones included; properties and nested classes are none."""
    found: dict[str, MethodKind] = {}
    for name in dir(user):
        if name.startswith("_"):
            continue
        method = getattr(user, name, None)
        if callable(method) and not isinstance(method, type):
            plain = inspect.unwrap(method)
            streams = inspect.isgeneratorfunction(plain) or inspect.isasyncgenfunction(plain)
            found[name] = "stream" if streams else "call"
    return found
