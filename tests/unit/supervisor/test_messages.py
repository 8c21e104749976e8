"""News and orders are values: they compare by content, do not change, and the view crosses processes."""

from __future__ import annotations

import pickle
from dataclasses import FrozenInstanceError

import pytest

from actors.runtime.process import ProcessIdentity
from supervisor import messages as m
from supervisor.tree import Location


def test_messages_compare_by_content_and_do_not_change() -> None:
    died = m.ChildDied(key="worker/p-0", incarnation=1, exit_class="killed", detail="x")
    assert died == m.ChildDied(key="worker/p-0", incarnation=1, exit_class="killed", detail="x")
    with pytest.raises(FrozenInstanceError):
        died.incarnation = 2  # pyright: ignore[reportAttributeAccessIssue]


def test_a_view_crosses_processes() -> None:
    where = Location(process=ProcessIdentity(1, 2), node_id="n", host="h")
    pool = m.PoolView(workers=(m.WorkerView(name="s/worker/p-0#1", role="active", location=where),), failure=None)
    view = m.ClusterView(leader="s/supervisor/root#1", incarnation=1, pools={"p": pool})
    assert pickle.loads(pickle.dumps(view)) == view
