"""Which children are services: they come into being as they are needed, and new leaders keep them. Pure."""

from __future__ import annotations

CONCERNS = ("breaker", "health", "degradation", "healer", "notifier")

DEGRADATION = "degradation/main"
HEALTH = "health/main"
NOTIFIER = "notifier/main"
HEALER = "healer/main"
"""Who coordinates recoveries; the healers are beside it, see `healer_key`."""


HEARING_NEAR = (DEGRADATION,)
"""Those whose owners hear of changes over a socket of their node, too."""


def healer_key(number: int) -> str:
    """The key of a healer, from 1."""
    return f"healer/{number}"


def is_service(key: str) -> bool:
    """Whether that is the key of a service."""
    return key.partition("/")[0] in CONCERNS
