"""Who lives where: a host is there for those who share it, and for nobody once it is closed."""

from __future__ import annotations

from supervisor.hosts import Hosts

A, B, C = (("child/a", 1), ("child/b", 1), ("child/c", 1))
ONE, TWO = "s/host/g.p#1", "s/host/g.p#2"


def shared_by(*lives: tuple[str, int]) -> Hosts:
    hosts = Hosts()
    assert all(hosts.enter(ONE, "g.p", "handle", life) for life in lives)
    return hosts


def test_the_last_one_to_leave_closes_it() -> None:
    hosts = shared_by(A, B)
    assert hosts.leave(A) is None
    assert hosts.open_for("g.p") is not None
    empty = hosts.leave(B)
    assert empty is not None
    assert (empty.name, empty.closed) == (ONE, True)
    assert hosts.leave(B) is None, "once"
    assert hosts.open_for("g.p") is None
    assert not hosts.enter(ONE, "g.p", "handle", C), "it is about to end"
    assert hosts.enter(TWO, "g.p", "handle", C)
    assert [host.name for host in hosts.everyone()] == [ONE, TWO], "one that ends is there until it is dead"


def test_its_death_is_that_of_all_in_it_and_told_once() -> None:
    hosts = shared_by(B, A)
    assert hosts.lost(ONE) == (A, B)
    assert hosts.lost(ONE) == ()
    assert (hosts.of(A), hosts.everyone()) == (None, ())
    assert hosts.is_over(ONE), "Ray may list it for a while"
    assert not hosts.enter(ONE, "g.p", "handle", C)


def test_of_the_dead_nothing_is_kept_once_ray_has_forgotten_them() -> None:
    hosts = shared_by(A)
    hosts.lost(ONE)
    hosts.keep_only({ONE, "s/worker/p-0#1"})
    assert hosts.is_over(ONE)
    hosts.keep_only({"s/worker/p-0#1"})
    assert hosts._over == set()
    assert hosts._homes == {}


def test_one_that_is_about_to_be_killed_takes_nobody_in() -> None:
    hosts = shared_by(A)
    hosts.close(ONE)
    hosts.close(TWO)
    assert hosts.is_over(ONE)
    assert hosts.is_over(TWO), "a predecessor's"
    assert not hosts.enter(ONE, "g.p", "handle", B)
    assert not hosts.enter(TWO, "g.p", "handle", B)
    assert hosts.leave(A) is None, "it is being killed already"


def test_its_death_is_watched_once() -> None:
    hosts = shared_by(A, B)
    watched = hosts.begin_watch(B)
    assert watched is not None
    assert watched.name == ONE
    assert hosts.begin_watch(A) is None
    assert hosts.begin_watch(C) is None, "it has an actor of its own"
