"""Messages are grouped, limited, sent in order, tried again, and given up in the end."""

from __future__ import annotations

from typing import Any

from actors.notifier import messages as m
from tests.unit.notifier.scene import Scene, channel, of


def test_what_comes_close_together_is_one_message() -> None:
    scene = Scene(group_s=2.0)
    scene.raise_("a")
    scene.later(1.0)
    scene.raise_("b")
    assert scene.sent == []
    scene.later(1.0)
    assert [[one.key for one in each.alerts] for each in scene.sent] == [["a", "b"]]


def test_of_one_thing_in_a_group_the_latest_is_told() -> None:
    scene = Scene(group_s=2.0)
    scene.raise_("a")
    scene.raise_("b")
    scene.resolve("a")
    scene.later(2.0)
    assert scene.told == [("mail", "b", False), ("mail", "a", True)]


def test_a_full_group_waits_no_longer() -> None:
    scene = Scene(group_s=100.0, group_max=3)
    for number in range(7):
        scene.raise_(str(number))
    assert [len(each.alerts) for each in scene.sent] == [3, 3]
    scene.later(100.0)
    assert [len(each.alerts) for each in scene.sent] == [3, 3, 1]


def test_the_rate_is_kept_and_nothing_is_lost() -> None:
    scene = Scene(channel(rate_per_min=6.0, burst=2))
    for number in range(5):
        scene.raise_(str(number))
    assert len(scene.sent) == 2
    assert scene.machine.waiting() == {"mail": 3}
    scene.later(10.0)
    assert len(scene.sent) == 3
    scene.later(20.0)
    assert [each.alerts[0].key for each in scene.sent] == ["0", "1", "2", "3", "4"]
    scene.later(600.0)
    for number in range(5, 10):
        scene.raise_(str(number))
    assert len(scene.sent) == 7, "a calm earns the burst, and no more"


def test_a_failure_is_tried_again_with_growing_waits_and_given_up_in_the_end() -> None:
    scene = Scene(attempts=4, retry_min_s=1.0, retry_max_s=2.0)
    scene.ok = lambda _: False
    commands = scene.raise_() + scene.later(60.0)
    assert [each.attempt for each in of(m.Send, commands)] == [1, 2, 3, 4]
    assert [(each.result, each.entry.attempts) for each in of(m.RecordNotification, commands)] == [("failed", 4)]
    assert [each.entry.attempts for each in of(m.RecordEntry, commands)] == [0, 1, 2, 3]
    assert scene.machine.waiting() == {"mail": 0}


def test_what_will_never_be_taken_is_not_tried_again() -> None:
    scene = Scene()
    scene.ok = lambda _: None
    (send,) = of(m.Send, scene.raise_())
    commands = scene.tell(scene.ended(send, ok=False, permanent=True, detail="401"))
    assert of(m.RecordNotification, commands)[0].detail == "401"


def test_a_receiver_that_wants_to_be_left_alone_is() -> None:
    scene = Scene(retry_min_s=1.0, retry_max_s=60.0)
    scene.ok = lambda _: None
    (send,) = of(m.Send, scene.raise_())
    scene.tell(scene.ended(send, ok=False, retry_after_s=30.0))
    assert of(m.Send, scene.later(29.9)) == []
    assert [each.attempt for each in of(m.Send, scene.later(0.1))] == [2]


def test_no_answer_is_a_failure_and_a_late_one_is_nothing() -> None:
    scene = Scene(channel(timeout_s=10.0))
    scene.ok = lambda _: None
    (send,) = of(m.Send, scene.raise_())
    assert of(m.Send, scene.later(14.9)) == []
    assert [each.attempt for each in of(m.Send, scene.later(10.0))] == [2]
    assert scene.tell(scene.ended(send, ok=True)) == []
    assert scene.machine.waiting() == {"mail": 1}


def test_one_message_at_a_time_in_their_order() -> None:
    scene = Scene()
    scene.ok = lambda _: None
    (first,) = of(m.Send, scene.raise_("a"))
    assert of(m.Send, scene.resolve("a")) == []
    (second,) = of(m.Send, scene.tell(scene.ended(first, ok=True)))
    assert second.entry.alerts[0].ended_s is not None


def test_more_messages_than_the_limit_are_dropped_and_on_record() -> None:
    scene = Scene(outbox_max=2)
    scene.ok = lambda _: None
    for number in range(2):
        scene.raise_(str(number))
    (dropped,) = of(m.RecordNotification, scene.raise_("more"))
    assert (dropped.result, dropped.detail) == ("dropped", "2 messages wait, the limit")


class Full:
    """One message is in flight, and no other has room; what is raised now is dropped."""

    def __init__(self, **fields: Any) -> None:
        self.scene = Scene(outbox_max=1, **fields)
        self.scene.ok = lambda _: None
        (self.sent,) = of(m.Send, self.scene.raise_("first"))

    def drop(self, key: str, **fields: Any) -> None:
        (dropped,) = of(m.RecordNotification, self.scene.raise_(key, **fields))
        assert (dropped.result, dropped.detail) == ("dropped", "1 messages wait, the limit")

    def make_room(self) -> None:
        """The message in flight is taken, and so is all that follows."""
        self.scene.ok = lambda _: True
        self.scene.tell(self.scene.ended(self.sent, ok=True))


def test_what_was_dropped_is_told_as_soon_as_there_is_room() -> None:
    full = Full(group_max=2)
    for key in "abc":
        full.drop(key)
    full.drop("b", severity="critical")
    assert full.scene.raise_("a") == [], "it will be told"
    full.make_room()
    assert [[(one.key, one.severity) for one in each.alerts] for each in full.scene.sent] == [
        [("a", "medium"), ("c", "medium")],
        [("b", "critical")],
    ]
    full.scene.resolve("a")
    assert full.scene.told[-1] == ("mail", "a", True)


def test_what_was_dropped_and_is_over_was_told_to_nobody() -> None:
    full = Full()
    full.drop("a")
    assert full.scene.machine.told("a", full.scene.now) is None
    assert [each.alert.key for each in full.scene.machine.kept(full.scene.now)] == ["first"]
    assert full.scene.resolve("a") == []
    full.make_room()
    assert full.scene.told == []
    full.scene.raise_("a")
    assert full.scene.told == [("mail", "a", False)], "it is news when it comes again"


def test_an_end_that_was_dropped_is_told_as_soon_as_there_is_room() -> None:
    full = Full()
    (dropped,) = of(m.RecordNotification, full.scene.resolve("first"))
    assert dropped.result == "dropped"
    full.make_room()
    assert full.scene.told == [("mail", "first", True)]


def test_a_take_over_that_was_dropped_is_told_though_it_was_forgotten_since() -> None:
    full = Full()
    full.scene.resolve("first", how="taken")
    assert full.scene.resolve("first", how="forgotten") == []
    full.make_room()
    assert full.scene.told == [("mail", "first", True)]


def test_who_was_told_once_is_told_of_the_end_though_a_later_time_was_dropped() -> None:
    full = Full()
    full.drop("first", nth=1)
    kept = full.scene.machine.kept(full.scene.now)
    assert [(each.alert.key, each.channels) for each in kept] == [("first", ("mail",))]
    full.scene.resolve("first")
    full.make_room()
    assert full.scene.told == [("mail", "first", True)]


def test_what_was_dropped_by_one_channel_counts_as_told_by_the_other_only() -> None:
    scene = Scene(channel("a"), channel("b"), outbox_max=1)
    scene.ok = lambda send: None if send.entry.channel == "a" else True
    (waits,) = (each for each in of(m.Send, scene.raise_("x")) if each.entry.channel == "a")
    (dropped,) = (each for each in of(m.RecordNotification, scene.raise_("y")) if each.result == "dropped")
    assert dropped.entry.channel == "a"
    scene.resolve("y")
    scene.ok = lambda _: True
    scene.tell(scene.ended(waits, ok=True))
    assert scene.told == [("b", "x", False), ("b", "y", False), ("b", "y", True)]


def test_what_was_dropped_is_bounded_the_oldest_gives_way() -> None:
    full = Full(alerts_max=3)
    for key in "abcd":
        full.drop(key)
    full.make_room()
    assert [key for _, key, _ in full.scene.told] == ["b", "c", "d"]


def test_an_end_of_what_is_not_in_flight_is_nothing() -> None:
    scene = Scene()
    assert scene.tell(m.SendEnded(entry_id="1.1", attempt=1, ok=True)) == []
    scene.confirms = False
    scene.raise_()
    assert scene.tell(m.SendEnded(entry_id="1.1", attempt=0, ok=True)) == []
