"""Checkpoints on request: children are asked to put their state away now."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import ray
from ray.exceptions import GetTimeoutError, RayError, RayTaskError

from actors.runtime.clock import SYSTEM_CLOCK, sleep
from actors.runtime.errors import ChildNotHereError, StaleIncarnationError
from supervisor.administering import refusal
from supervisor.election import actor_by_name

if TYPE_CHECKING:
    from supervisor.messages import ChildView, ClusterView

PATIENCE_S = 60.0
"""How long all of them together are waited for: each answers behind the calls that it has already."""

_AGAIN_S = 0.05


def checkpoint_now(keys: Iterable[str], view: Callable[[], ClusterView], *, timeout_s: float = PATIENCE_S) -> None:
    """Have the state of running children put into their stores; one that dies over it is asked again in its next life.

    Args:
        keys: The children.
        view: Gives the view of whoever leads.
        timeout_s: How long to wait for all of them, seconds.

    Raises:
        AdministrationError: One is not running, or did not answer in time.
        Exception: What its `checkpoint()` or its store raised.
    """
    until = SYSTEM_CLOCK.now() + timeout_s
    left, trouble = list(keys), ""
    while left:
        children = {child.key: child for child in view().children}
        asked = {key: _ask(children[key]) for key in left if key in children and children[key].status == "running"}
        for key in list(left):
            ref = asked.get(key)
            if ref is None:
                trouble = children[key].status if key in children else "not to be seen"
            elif (answer := _answer(ref, until - SYSTEM_CLOCK.now())) is None:
                left.remove(key)
            else:
                trouble = answer
        if left:
            if SYSTEM_CLOCK.now() >= until:
                raise refusal(left[0], "not_running", f"no checkpoint within {timeout_s:g} s; last: {trouble}")
            sleep(_AGAIN_S)


def _ask(child: ChildView) -> Any | None:
    handle = actor_by_name(child.host or child.name)
    return None if handle is None else handle.checkpoint_now.remote(child.incarnation, child.key)


def _answer(ref: Any, timeout_s: float) -> str | None:
    """None once it is done; else why it has to be asked again."""
    try:
        ray.get(ref, timeout=max(0.0, timeout_s))
    except (StaleIncarnationError, ChildNotHereError) as moved:
        return str(moved)
    except RayTaskError as error:
        cause = error.cause
        raise (cause if isinstance(cause, Exception) else error) from None
    except (RayError, GetTimeoutError) as error:
        return str(error).strip().partition("\n")[0]
    return None
