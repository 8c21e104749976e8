"""The fault point that every request passes behind its breaker: who is unavailable fails as its library says it.

Code that handles an outage catches its library's own error; an experiment that raised another would show nothing.
"""

from __future__ import annotations

from collections.abc import Callable

from actors.runtime.fault_passing import pass_point, pass_point_soon
from actors.runtime.fault_points import DEPENDENCY, InjectedUnavailableError

Known = Callable[[str], Exception]
"""Makes the error, from one text, that callers of a library know for one that cannot be reached."""


def pass_dependency(host: str, known: Known) -> None:
    """Let a request to `host` pass.

    Raises: what the experiment wants it to raise; for one that is unavailable what `known` makes.
    """
    try:
        pass_point(DEPENDENCY, host)
    except InjectedUnavailableError as gone:
        raise known(str(gone)) from gone


async def pass_dependency_soon(host: str, known: Known) -> None:
    """Like `pass_dependency`, for a coroutine.

    Raises: as `pass_dependency`.
    """
    try:
        await pass_point_soon(DEPENDENCY, host)
    except InjectedUnavailableError as gone:
        raise known(str(gone)) from gone
