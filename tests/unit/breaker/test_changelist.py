from __future__ import annotations

from actors.breaker.changelist import ChangeList


def test_each_name_is_told_once_the_latest_change_first():
    changes = ChangeList()
    assert changes.since(0) == []
    assert [changes.note(name) for name in "abca"] == [1, 2, 3, 4]
    assert changes.since(0) == ["a", "c", "b"]
    assert changes.since(2) == ["a", "c"]
    assert changes.since(4) == []
    assert (changes.number, changes.number_of("a"), changes.number_of("z")) == (4, 4, 0)
