"""A view travels to every process that follows."""

from __future__ import annotations

import pickle
from dataclasses import replace

from supervisor.views import ChildView, ClusterView


def test_a_view_is_the_same_after_its_journey() -> None:
    child = ChildView(
        key="child/a", name="s/child/a#1", status="running", role="service", restarts=0, location=None, last_error=""
    )
    view = ClusterView(leader="s/supervisor/root#1", incarnation=1, children=(child,))
    assert pickle.loads(pickle.dumps(view)) == view


def test_a_child_that_shares_a_process_is_in_the_actor_that_hosts_it() -> None:
    alone = ChildView(
        key="child/a", name="s/child/a#1", status="running", role="service", restarts=0, location=None, last_error=""
    )
    assert [alone.actor, replace(alone, host="s/host/root.main#3").actor] == ["s/child/a#1", "s/host/root.main#3"]
