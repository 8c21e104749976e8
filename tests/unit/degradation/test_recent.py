"""What has changed lately is told in order, counted over lives, and bounded."""

from __future__ import annotations

from actors.degradation import messages as m
from actors.degradation.recent import CHANGES_MAX, NAMES_MAX, Recent, later_than
from tests.unit.degradation.scene import feature


def moved(before: str, after: str, *off: str) -> m.RecordLevel:
    return m.RecordLevel(before=before, after=after, kind="rule", detail="it is bad", switched_off=off)


def test_a_change_of_level_and_declarations_are_told():
    recent = Recent()
    recent.note(moved("full", "reduced", "chat"), "reduced")
    recent.note(m.RecordFeature(name="chat", feature=feature()), "reduced")
    recent.note(m.RecordFeature(name="chat", feature=None), "reduced")
    told = [(each.number, each.kind, each.before, each.after, each.feature) for each in recent.all()]
    assert told == [
        (1, "rule", "full", "reduced", ""),
        (2, "declared", "reduced", "reduced", "chat"),
        (3, "withdrawn", "reduced", "reduced", "chat"),
    ]
    assert recent.all()[0].switched_off == ("chat",)


def test_what_changes_nothing_is_not_told():
    recent = Recent()
    recent.note(m.Refuse(what="level", name="x", problems=("no",)), "full")
    assert recent.all() == ()


def test_a_later_life_counts_on():
    first = Recent()
    first.note(moved("full", "reduced"), "reduced")
    second = Recent(first.all())
    second.note(moved("reduced", "full"), "full")
    assert [each.number for each in second.all()] == [1, 2]


def test_who_comes_late_is_told_how_many_are_missing():
    recent = Recent()
    for _ in range(CHANGES_MAX + 5):
        recent.note(moved("full", "reduced"), "reduced")
    later, missed = later_than(recent.all(), 2)
    assert len(later) == CHANGES_MAX
    assert missed == 3
    assert later_than(recent.all(), CHANGES_MAX + 5) == ((), 0)


def test_names_are_bounded():
    recent = Recent()
    many = tuple(f"f{number}" for number in range(NAMES_MAX))
    recent.note(moved("full", "reduced", *many), "reduced")
    recent.note(moved("reduced", "full", "one"), "full")
    assert [each.number for each in recent.all()] == [2]
