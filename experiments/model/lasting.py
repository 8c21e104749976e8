"""Faults that nobody can take back: they are on from the cluster's start to its end. Pure.

Ray is told when it starts which of its calls to lose or delay, and goes on until it ends. Nothing that is said of such
a fault may sound as if it were over before; and there is no time without it to be its baseline.
"""

from __future__ import annotations

LASTING_KINDS: frozenset[str] = frozenset(("rpc",))
"""What such a fault hits, as kinds of targets."""

LASTS = "it goes on until the cluster ends: Ray cannot take it back"
