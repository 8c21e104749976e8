"""Whether what plans name is there: strategies of users' own, as entry points of installed packages, and channels.

A plan that names another is refused where it is given: in the process that starts a supervisor with it, and by the
coordinator, which the plans of all processes come to. A healer on a node that lacks the package refuses the step still.
"""

from __future__ import annotations

from importlib.metadata import entry_points
from typing import TYPE_CHECKING

from actors.recovery.strategies import UserStrategy, problems_of_channels, problems_of_own
from actors.runtime.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from actors.healer.settings import PlanRule

STRATEGIES = "ray_supervisor.strategies"
"""The group of entry points of users' own strategies."""


def check_plans(plans: Mapping[str, PlanRule], *, channels: Sequence[str], source: str) -> None:
    """Refuse plans that name a strategy which is not installed here, or a channel that is none.

    Args:
        plans: By their place in the source; empty: the source itself.
        channels: The names of the channels that there are.
        source: Where they came from, for the message.

    Raises:
        ConfigError: Lists each such name with its place, and which names there are.
    """
    has_own = any(isinstance(each, UserStrategy) for rule in plans.values() for each in rule.strategies)
    known = tuple(sorted({point.name for point in entry_points(group=STRATEGIES)})) if has_own else ()
    problems = [
        f"{place}.{problem}".removeprefix(".")
        for place, rule in plans.items()
        for problem in (
            *problems_of_own(rule.strategies, known, group=STRATEGIES),
            *problems_of_channels(rule.strategies, channels),
        )
    ]
    if problems:
        raise ConfigError(source, problems=tuple(problems))
