"""An agent knows the children that were announced, and the last former ones."""

from __future__ import annotations

from actors.node_agent.registry import Registry
from actors.runtime.process import ProcessIdentity


def life(pid: int, started: int = 1) -> ProcessIdentity:
    return ProcessIdentity(pid, started, witness=pid + 1)


def test_only_announced_lives_are_known() -> None:
    registry = Registry()
    registry.announce({"a#1": life(10), "b#1": life(20)})
    assert registry.knows(ProcessIdentity(10, 1))
    assert not registry.knows(ProcessIdentity(10, 2))
    assert not registry.knows(ProcessIdentity(30, 1))
    assert registry.present("b#1") == life(20)
    assert registry.present("b#2") is None


def test_who_is_announced_no_more_is_known_and_not_present() -> None:
    registry = Registry()
    registry.announce({"a#1": life(10)})
    registry.announce({"a#2": life(11)})
    assert registry.knows(life(10))
    assert registry.present("a#1") is None


def test_the_longest_gone_is_forgotten_first() -> None:
    registry = Registry(former_max=2)
    for number in range(5):
        registry.announce({f"a#{number}": life(number)})
    assert [number for number in range(5) if registry.knows(life(number))] == [2, 3, 4]
    registry.announce({"a#2": life(2)})
    registry.announce({})
    assert [number for number in range(5) if registry.knows(life(number))] == [2, 4]
