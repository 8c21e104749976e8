"""What a process says of a breaker without its owner, and when it has opened itself."""

from __future__ import annotations

from actors.breaker.here import explain_here, metrics_here, score_here, view_here
from actors.breaker.messages import Cause
from actors.breaker.outcome import FAILED, SUCCESS
from tests.unit.breaker.rig import Rig
from tests.unit.breaker.scene import Scene


def test_the_window_of_the_process_stands_in_for_the_clusters():
    rig = Rig()
    rig.end(SUCCESS, SUCCESS, FAILED)
    view = view_here(rig.gate, rig.now, None)
    assert (view.calls, view.failures_in_a_row, view.published.state) == (3, 1, "closed")
    metrics = metrics_here("b", rig.gate, view, rig.now, answered=False)
    assert (metrics.name, metrics.state, metrics.owner_answered, metrics.calls) == ("b", "closed", False, 3)
    assert metrics.success_rate is None


def test_an_open_state_keeps_its_cause_and_its_wait():
    rig = Rig()
    rig.follow("open", wait_s=8.0)
    rig.now += 3.0
    view = view_here(rig.gate, rig.now, Cause(kind="tripped", detail="all failed"))
    assert (view.published.state, view.published.wait_s) == ("open", 5.0)
    assert "all failed" in explain_here(rig.gate, view, rig.now).why


def test_an_override_is_told_with_who_asked():
    rig = Rig()
    rig.follow("forced_open")
    view = view_here(rig.gate, rig.now, Cause(kind="controlled", detail="force open by ann: because"))
    assert explain_here(rig.gate, view, rig.now).why == "force open by ann: because"


def test_a_process_that_opened_itself_is_worse_off_than_the_cluster_and_says_so():
    rig = Rig().self_opened()
    cluster = Scene().machine.view(0.0)
    assert score_here(Rig().gate, cluster, rig.now) == 100
    assert score_here(rig.gate, cluster, rig.now) == 0
    told = explain_here(rig.gate, cluster, rig.now)
    assert (told.state, told.closes_in_s) == ("open", 5.0)
    assert "this process has opened itself, the cluster's breaker is closed" in told.why


def test_the_numbers_say_how_many_have_opened_themselves_if_the_owner_tells():
    scene = Scene(quorum=2)
    scene.vote("p")
    rig = Rig().self_opened()
    cluster = scene.machine.view(0.0)
    assert str(metrics_here("b", rig.gate, cluster, rig.now, answered=True).votes) == (
        "1 of 1 reporters says open, 2 are needed"
    )
    assert explain_here(rig.gate, cluster, rig.now).votes == cluster.votes
    own = view_here(rig.gate, rig.now, None)
    assert metrics_here("b", rig.gate, own, rig.now, answered=False).votes is None
