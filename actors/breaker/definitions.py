"""What is logged of a user's definition of a breaker: that another one stands, or that a function of it failed."""

from __future__ import annotations

import logging

from actors.breaker.settings import BreakerSettings, describe_difference

_LOG = logging.getLogger("supervisor.breaker")


def warn_of_difference(name: str, stands: BreakerSettings, given: BreakerSettings) -> None:
    """A second definition of a name says otherwise than the first, which stands."""
    difference = describe_difference(stands, given)
    if difference:
        told = "; ".join(difference)
        _LOG.warning("breaker %r was defined before, and that stands: %s. configure() changes it", name, told)


def asked_wait_s(name: str, settings: BreakerSettings, openings: int) -> float | None:
    """What the user's function says for the wait after so many openings in a row; None if it fails."""
    if not callable(settings.open_s):
        return None
    try:
        return float(settings.open_s(openings))
    except Exception:  # noqa: BLE001 - a user's function: it is told, and the longest wait holds
        _LOG.exception("breaker %r: open_s(%d) failed; it stays open for open_s_max", name, openings)
        return None
