"""Which actor owns a breaker: one of its own, or past the limit one that it shares with others, by hash. Pure.

Whoever has an actor of its own keeps it: so what a name's home is follows from the actors that there are, and never
changes. Only the leader makes new ones; whoever sees an older view than the leader has asks it, and gets its answer.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from hashlib import blake2b

CONCERN = "breaker/"
SHARDS = 2
"""Actors that share what has none of its own; each takes thousands of breakers."""

_SHARD = f"{CONCERN}shard-"
_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.\-]{0,62}")
_STRANGE = re.compile(r"[^A-Za-z0-9_.\-]+")
_SLUG_MAX = 40


def own_key(name: str) -> str:
    """The key of a breaker's own actor: its name where that can name an actor, else one made of it."""
    if _PLAIN.fullmatch(name) and not f"{CONCERN}{name}".startswith(_SHARD):
        return f"{CONCERN}{name}"
    digest = blake2b(name.encode(), digest_size=6).hexdigest()
    return f"{CONCERN}b-{_STRANGE.sub('-', name)[:_SLUG_MAX].strip('-.')}-{digest}"


def shard_key(name: str) -> str:
    """The key of the actor that it shares with others."""
    return f"{_SHARD}{int.from_bytes(blake2b(name.encode(), digest_size=8).digest(), 'big') % SHARDS}"


def home_of(name: str, keys: Iterable[str], *, own_max: int) -> str:
    """The key of the actor that owns a breaker, whether there is one yet or not.

    Args:
        name: The breaker.
        keys: The keys of all children that there are.
        own_max: So many breakers have an actor of their own.
    """
    mine = own_key(name)
    own = {key for key in keys if key.startswith(CONCERN) and not key.startswith(_SHARD)}
    return mine if mine in own or len(own) < own_max else shard_key(name)


def is_owner(key: str) -> bool:
    """Whether that is the key of a breakers' owner."""
    return key.startswith(CONCERN)
