"""People are told that the monitor does not see, and that it sees again; whatever becomes of the notifier."""

from __future__ import annotations

from actors.health import messages as m
from actors.health.alarm import WAITING_MAX, BlindAlarm
from actors.notifier.messages import Alert

CUT_OFF = m.AlarmBlindness(cause="cut_off", gap_s=0.0, detail="2 of 3 places cannot be reached")
STARVED = m.AlarmBlindness(cause="starved", gap_s=3.0, detail="it was not scheduled for 3.0 s")
KILLED = m.AlarmBlindness(cause="killed", gap_s=1.0, detail="it was replaced")
SCORE = m.TellScore(score=100.0)


def alarm() -> BlindAlarm:
    return BlindAlarm("health/main")


def told(made: BlindAlarm) -> list[tuple[str, str]]:
    """What is handed over now: the change, and its key."""
    found: list[tuple[str, str]] = []
    while (telling := made.first()) is not None:
        first = telling.arguments[0]
        found.append((telling.what, first.key if isinstance(first, Alert) else first))
        made.told(telling)
    return found


def test_it_is_told_as_the_monitors_own_trouble_and_what_it_means() -> None:
    made = alarm()
    assert made.note(STARVED)
    telling = made.first()
    assert telling is not None
    alert = telling.arguments[0]
    assert isinstance(alert, Alert)
    assert (alert.component, alert.severity) == ("health/main", "high")
    assert alert.title == "the health monitor does not see: starved"
    assert "it was not scheduled for 3.0 s" in alert.body
    assert "Nobody is taken for sick" in alert.body


def test_who_was_starved_is_over_it_once_it_has_looked_again() -> None:
    made = alarm()
    made.note(STARVED)
    assert made.note(SCORE)
    assert told(made) == [("raise", "health/main/blind/starved"), ("resolve", "health/main/blind/starved")]
    assert not made.note(SCORE), "once"


def test_who_is_cut_off_is_so_until_it_reaches_what_it_should() -> None:
    made = alarm()
    made.note(CUT_OFF)
    made.note(SCORE)
    assert told(made) == [("raise", "health/main/blind/cut_off")]
    assert made.note(m.NoteSight(detail="0 of 3 places cannot be reached"))
    assert told(made) == [("resolve", "health/main/blind/cut_off")]


def test_a_new_life_ends_what_an_earlier_one_has_told() -> None:
    made = alarm()
    made.note(KILLED)
    made.note(SCORE)
    keys = [f"health/main/blind/{cause}" for cause in ("killed", "starved", "cut_off")]
    assert told(made) == [("raise", keys[0]), *(("resolve", key) for key in keys)]


def test_what_could_not_be_told_waits_and_is_bounded() -> None:
    made = alarm()
    made.note(STARVED)
    assert made.first() is made.first()
    for _ in range(WAITING_MAX):
        made.note(STARVED)
        made.note(SCORE)
    assert len(told(made)) == WAITING_MAX
    assert made.first() is None


def test_nothing_else_is_told() -> None:
    assert not alarm().note(m.Keep())
    assert not alarm().note(SCORE)
