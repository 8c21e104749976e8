"""People are told once, by the channels that are for them, and told when it is over."""

from __future__ import annotations

from dataclasses import replace

from actors.notifier import messages as m
from actors.notifier.settings import RouteSettings
from tests.unit.notifier.scene import NOON_S, Scene, alert, channel, entry, of


class TestTelling:
    def test_written_down_then_sent_then_forgotten(self) -> None:
        scene = Scene()
        commands = scene.raise_()
        assert [type(each) for each in commands] == [m.RecordEntry, m.Send, m.ForgetEntry, m.RecordNotification]
        assert scene.sent[0].alerts[0].began_s == NOON_S
        assert scene.machine.waiting() == {"mail": 0}
        assert scene.machine.next_timer() is None

    def test_nothing_is_sent_before_it_is_written_down(self) -> None:
        scene = Scene()
        scene.confirms = False
        assert of(m.Send, scene.raise_()) == []
        assert scene.tell(m.EntryRecorded(entry_id="nobody's")) == []
        assert len(of(m.Send, scene.tell(m.EntryRecorded(entry_id="1.1")))) == 1

    def test_what_lasts_is_told_once_then_again_after_its_time_with_how_often(self) -> None:
        scene = Scene(repeat_s=100.0)
        for _ in range(5):
            scene.raise_()
            scene.later(10.0)
        assert len(scene.sent) == 1
        scene.later(50.0)
        scene.raise_()
        assert [each.alerts[0].repeated for each in scene.sent] == [0, 4]

    def test_what_a_channel_gave_up_is_told_by_it_when_it_is_raised_after_a_while_and_by_no_other(self) -> None:
        scene = Scene(channel("a"), channel("b"), attempts=2, retry_min_s=1.0, retry_max_s=10.0, repeat_s=1000.0)
        scene.ok = lambda send: send.entry.channel == "a"
        scene.raise_()
        assert [each.result for each in of(m.RecordNotification, scene.later(5.0))] == ["failed"]
        scene.raise_()
        assert scene.told == [("a", "db/crash", False)]
        scene.ok = lambda _: True
        scene.later(10.0)
        for _ in range(3):
            scene.raise_()
        assert scene.told == [("a", "db/crash", False), ("b", "db/crash", False)]

    def test_what_a_channel_gave_up_is_not_told_once_somebody_has_taken_it_over(self) -> None:
        scene = Scene(attempts=1, retry_max_s=10.0, repeat_s=1000.0)
        scene.ok = lambda _: False
        scene.raise_()
        scene.resolve(detail="ann has taken it over", how="taken")
        scene.ok = lambda _: True
        scene.later(10.0)
        scene.raise_()
        assert scene.told == []

    def test_what_becomes_worse_is_told_at_once(self) -> None:
        scene = Scene()
        scene.raise_()
        scene.raise_(severity="low")
        scene.raise_(severity="critical")
        assert [each.alerts[0].severity for each in scene.sent] == ["medium", "critical"]

    def test_who_was_told_is_told_that_it_is_over_once(self) -> None:
        scene = Scene(channel("a"), channel("b"))
        scene.raise_(channels=("a",), body="why")
        scene.resolve()
        scene.resolve()
        assert scene.told == [("a", "db/crash", False), ("a", "db/crash", True)]
        assert scene.sent[1].alerts[0].body == "why"
        scene.raise_()
        scene.resolve(detail="restarted")
        assert scene.sent[-1].alerts[0].body == "restarted"

    def test_a_later_time_is_told_anew_under_the_same_key_and_one_end_is_the_end_of_all(self) -> None:
        scene = Scene()
        for nth in (0, 0, 1, 1, 0, 2):
            scene.raise_(nth=nth)
        assert [each.alerts[0].nth for each in scene.sent] == [0, 1, 2]
        scene.resolve()
        scene.resolve()
        assert scene.told == [("mail", "db/crash", False)] * 3 + [("mail", "db/crash", True)]

    def test_what_somebody_has_taken_over_is_told_and_its_end_too(self) -> None:
        scene = Scene()
        scene.raise_()
        for who in ("ann", "ben"):
            scene.resolve(detail=f"{who} has taken it over", how="taken")
        scene.raise_()
        assert [each.alerts[0].body for each in scene.sent[1:]] == ["ann has taken it over"]
        scene.resolve(detail="well again")
        assert [each.alerts[0].body for each in scene.sent[2:]] == ["well again"]
        assert scene.machine.told("db/crash", scene.now) is None

    def test_what_is_forgotten_is_told_unless_somebody_had_taken_it_over(self) -> None:
        scene = Scene()
        scene.raise_("a")
        scene.resolve("a", how="forgotten")
        assert scene.told == [("mail", "a", False), ("mail", "a", True)]
        scene.raise_("b")
        scene.resolve("b", how="taken")
        assert scene.resolve("b", how="forgotten") == []
        assert scene.machine.told("b", scene.now) is None

    def test_what_nobody_was_told_of_is_not_over(self) -> None:
        assert Scene().resolve() == []

    def test_alerts_that_are_remembered_are_bounded(self) -> None:
        scene = Scene(alerts_max=1)
        scene.raise_("a")
        scene.raise_("b")
        assert scene.resolve("a") == []
        assert scene.resolve("b") != []


class TestRoutes:
    def test_by_severity_component_and_time_all_that_match_each_channel_once(self) -> None:
        routes = (
            RouteSettings(channels=("a",), severity="high"),
            RouteSettings(channels=("b",), components=("db*",)),
            RouteSettings(channels=("a", "b"), begin="08:00", end="18:00"),
            RouteSettings(channels=("c",), begin="18:00", end="08:00"),
        )
        scene = Scene(channel("a"), channel("b"), channel("c"), routes=routes)
        scene.raise_()
        assert sorted(name for name, _, _ in scene.told) == ["a", "b"]

    def test_a_strategys_own_channels_go_before_the_routes(self) -> None:
        scene = Scene(channel("a"), channel("b"))
        scene.raise_(channels=("b",))
        assert scene.told == [("b", "db/crash", False)]

    def test_what_reaches_nobody_is_on_record(self) -> None:
        (told,) = Scene(routes=()).raise_()
        assert isinstance(told, m.RecordNotification)
        assert (told.result, told.detail) == ("dropped", "no route is for it now")
        (other,) = Scene().raise_(channels=("pager",))
        assert isinstance(other, m.RecordNotification)
        assert (other.entry.channel, other.detail) == ("pager", "there is no such channel")

    def test_what_reached_nobody_is_told_as_soon_as_a_route_is_open_for_it(self) -> None:
        routes = (RouteSettings(channels=("mail",), begin="13:00", end="18:00"),)
        scene = Scene(routes=routes)
        scene.raise_()
        scene.raise_()
        assert scene.told == []
        scene.tell(m.AlertRaised(alert=alert(), wall_s=NOON_S + 3600))
        assert scene.told == [("mail", "db/crash", False)]
        assert scene.sent[0].alerts[0].repeated == 1
        scene.tell(m.AlertRaised(alert=alert(), wall_s=NOON_S + 3600))
        assert len(scene.sent) == 1

    def test_one_channel_that_fails_holds_no_other_up(self) -> None:
        scene = Scene(channel("a"), channel("b"))
        scene.ok = lambda send: send.entry.channel == "b"
        scene.raise_("x")
        scene.raise_("y")
        assert scene.told == [("b", "x", False), ("b", "y", False)]


class TestSuccessors:
    def test_what_was_written_down_is_sent_and_known_as_told(self) -> None:
        scene = Scene(channel("mail"), channel("pager"))
        entries = (
            entry(alert("a", began_s=5.0), alert("b"), entry_id="1.1"),
            entry(alert("a", began_s=5.0), entry_id="1.2", channel="pager"),
            entry(alert("b", ended_s=9.0), alert("never", ended_s=9.0), entry_id="1.3"),
            entry(alert("c"), entry_id="1.4", channel="gone"),
        )
        commands = scene.tell(m.OutboxRecovered(entries=entries))
        assert commands[0] == m.ForgetEntry(entry_id="1.4")
        assert [(each.result, each.entry.entry_id) for each in of(m.RecordNotification, commands)] == [
            ("dropped", "1.4"),
            ("sent", "1.1"),
            ("sent", "1.2"),
            ("sent", "1.3"),
        ]
        assert scene.raise_("a") == []
        scene.resolve("a")
        assert {(each.channel, each.alerts[0].key) for each in scene.sent[-2:]} == {("mail", "a"), ("pager", "a")}
        assert scene.resolve("b") == []

    def test_what_waited_too_long_or_cannot_be_read_is_dropped_and_the_drop_is_on_record(self) -> None:
        scene = Scene(stale_s=3600.0)
        entries = (
            replace(entry(alert("old"), entry_id="1.1"), age_s=3601.0),
            m.OutboxEntry(entry_id="1.2", channel="mail", alerts=()),
            replace(entry(alert("young"), entry_id="1.3"), age_s=3599.0),
        )
        told = (m.KeptAlert(alert=alert("old"), channels=("mail",), age_s=3601.0),)
        commands = scene.tell(m.OutboxRecovered(entries=entries, told=told))
        assert [each.entry_id for each in of(m.ForgetEntry, commands)] == ["1.1", "1.2", "1.3"]
        assert [(each.result, each.entry.entry_id, each.detail) for each in of(m.RecordNotification, commands)] == [
            ("dropped", "1.1", "it waited since 3601 s ago, and what is older than 3600 s is news no more"),
            ("dropped", "1.2", "what was written down cannot be read"),
            ("sent", "1.3", ""),
        ]
        assert len(of(m.Send, scene.raise_("old"))) == 1, "nobody was told of it"

    def test_what_is_found_late_is_sent_too_but_not_what_is_this_lifes_own(self) -> None:
        scene = Scene()
        scene.ok = lambda _: None
        (own,) = of(m.RecordEntry, scene.raise_("new"))
        (sent,) = of(m.Send, scene.machine.handle(m.EntryRecorded(entry_id=own.entry.entry_id), scene.now)) or [None]
        assert sent is None, "it is in flight already"
        left = replace(entry(alert("left"), entry_id="0.1"), age_s=60.0)
        scene.tell(m.OutboxFound(entries=(left, own.entry)))
        assert scene.machine.waiting() == {"mail": 2}
        scene.ok = lambda _: True
        scene.later(60.0)
        assert [key for _, key, _ in scene.told] == ["new", "left"]

    def test_only_before_anything_else(self) -> None:
        scene = Scene()
        scene.raise_()
        assert scene.tell(m.OutboxRecovered(entries=(entry(alert("x"), entry_id="1.9"),))) == []


class TestTheNextLife:
    def test_it_knows_what_people_were_told_of_and_tells_of_its_end(self) -> None:
        former = Scene(channel("a"), channel("b"), repeat_s=100.0)
        former.raise_("db", channels=("a",))
        former.raise_("web", channels=())
        former.later(30.0)
        kept = former.machine.kept(former.now)
        assert [(each.alert.key, each.channels, each.age_s) for each in kept if each.alert.key == "db"] == [
            ("db", ("a",), 30.0)
        ]
        scene = Scene(channel("a"), channel("b"), repeat_s=100.0)
        scene.tell(m.OutboxRecovered(entries=(), told=kept))
        scene.raise_("db", channels=("a",))
        assert scene.told == [], "it is told once while it lasts"
        scene.resolve("db")
        assert scene.told == [("a", "db", True)]
        assert scene.machine.told("db", scene.now) is None

    def test_it_tells_again_what_lasts_for_long_and_leaves_out_channels_that_are_no_more(self) -> None:
        kept = m.KeptAlert(alert=alert("db"), channels=("gone", "mail"), age_s=99.0)
        scene = Scene(repeat_s=100.0)
        scene.tell(m.OutboxRecovered(entries=(), told=(kept,)))
        scene.later(2.0)
        scene.raise_("db")
        assert scene.told == [("mail", "db", False)]

    def test_it_knows_which_time_was_told_and_what_somebody_has_taken_over(self) -> None:
        former = Scene()
        former.raise_("a", nth=3)
        former.raise_("b")
        former.resolve("b", how="taken")
        scene = Scene()
        ended = entry(alert("b", ended_s=9.0), entry_id="1.9")
        scene.tell(m.OutboxRecovered(entries=(entry(alert("a", nth=2)), ended), told=former.machine.kept(former.now)))
        del scene.sent[:]
        scene.raise_("a", nth=3)
        scene.resolve("b", how="taken")
        assert scene.sent == []
        scene.raise_("a", nth=4)
        scene.resolve("b")
        assert scene.told == [("mail", "a", False), ("mail", "b", True)]
        late = Scene()
        known = m.KeptAlert(alert=alert("c"), channels=("mail",))
        late.tell(m.AlertResolved(key="c", wall_s=NOON_S, known=known, how="taken"))
        late.resolve("c")
        assert late.told == [("mail", "c", True), ("mail", "c", True)]

    def test_an_end_that_was_acknowledged_is_told_by_a_life_that_knows_nothing_of_it(self) -> None:
        scene = Scene()
        known = m.KeptAlert(alert=alert("db"), channels=("mail",))
        scene.tell(m.AlertResolved(key="db", wall_s=NOON_S, known=known))
        assert scene.told == [("mail", "db", True)]
