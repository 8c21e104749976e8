"""The event loops of this process that somebody looks after."""

from __future__ import annotations

from asyncio import AbstractEventLoop
from weakref import WeakSet

LOOPS: WeakSet[AbstractEventLoop] = WeakSet()
"""Noted by who makes them; a loop leaves with its last user."""
