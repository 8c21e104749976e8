"""What a person reads of a child that does not start."""

from __future__ import annotations

from supervisor.hosting import what_and_where
from supervisor.recipes import plans_of
from supervisor.specs import ChildSpec, GroupSpec
from supervisor.tree import ROOT, ChildPlan
from tests.unit.specs.scene import Cart
from tests.unit.supervision.scene import NODE, where

CLASS = f"{Cart.__module__}.{Cart.__qualname__}"


def plan(spec: ChildSpec | GroupSpec) -> ChildPlan:
    return plans_of(spec, parent=ROOT, origin="code").children[0]


def test_the_class_and_the_node_are_named_as_far_as_they_are_known():
    free, bound = (plan(ChildSpec(name="a", cls=Cart, node=node)) for node in (None, "10.0.0.7"))
    assert what_and_where(free, None) == f" ({CLASS})"
    assert what_and_where(free, where(NODE)) == f" ({CLASS} on node {NODE[:12]})"
    assert what_and_where(bound, None) == f" ({CLASS} on node 10.0.0.7)"
    assert what_and_where(bound, where(NODE)) == f" ({CLASS} on node {NODE[:12]})", "that is where it failed"


def test_of_what_has_no_class_of_a_users_the_node_is_named():
    group = plan(GroupSpec(name="g", supervisor=True, node="far"))
    assert what_and_where(group, None) == " (on node far)"
    assert what_and_where(ChildPlan(key="worker/p-0"), None) == ""
    assert what_and_where(None, where(NODE)) == "", "it was forgotten meanwhile"
