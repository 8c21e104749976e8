"""Which strategies of users' own there are in this process: entry points of installed packages.

A plan that names another is refused where it is given: in the process that starts a supervisor with it, and by the
coordinator, which the plans of all processes come to. A healer on a node that lacks the package refuses the step still.
"""

from __future__ import annotations

from importlib.metadata import entry_points
from typing import TYPE_CHECKING

from actors.recovery.strategies import UserStrategy, problems_of_own
from actors.runtime.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from actors.healer.settings import PlanRule

STRATEGIES = "ray_supervisor.strategies"
"""The group of entry points of users' own strategies."""


def check_own(plans: Mapping[str, PlanRule], *, source: str) -> None:
    """Refuse plans that name a strategy which is not installed here.

    Args:
        plans: By their place in the source; empty: the source itself.
        source: Where they came from, for the message.

    Raises:
        ConfigError: Lists each such name with its place, and which names there are.
    """
    if not any(isinstance(each, UserStrategy) for rule in plans.values() for each in rule.strategies):
        return
    known = tuple(sorted({point.name for point in entry_points(group=STRATEGIES)}))
    problems = [
        f"{place}.{problem}".removeprefix(".")
        for place, rule in plans.items()
        for problem in problems_of_own(rule.strategies, known, group=STRATEGIES)
    ]
    if problems:
        raise ConfigError(source, problems=tuple(problems))
