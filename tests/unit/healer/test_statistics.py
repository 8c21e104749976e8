"""Success rate, mean times and escalations are counted in all, by component and by strategy."""

from __future__ import annotations

from actors.healer.statistics import NAMES_MAX, Counts, Tally


def test_rates_and_mean_times() -> None:
    tally = Tally()
    tally.close("db", "restart", resolved=True, detect_s=1.0, recover_s=10.0)
    tally.close("db", "escalate", resolved=False, detect_s=3.0, recover_s=99.0)
    assert tally.total == tally.components["db"] == Counts(resolved=1, escalated=1, detect_s=4.0, recover_s=10.0)
    total = tally.total
    assert (total.success_rate, total.escalation_rate) == (0.5, 0.5)
    assert (total.mean_detect_s, total.mean_recover_s) == (2.0, 10.0)
    assert tally.strategies["escalate"].escalation_rate == 1.0


def test_before_the_first_there_is_no_rate() -> None:
    none = Counts()
    assert [none.success_rate, none.escalation_rate, none.mean_detect_s, none.mean_recover_s] == [None] * 4


def test_names_are_bounded_and_the_total_is_not() -> None:
    tally = Tally()
    for number in range(NAMES_MAX + 5):
        tally.close(f"c{number}", "", resolved=True, detect_s=0.0, recover_s=0.0)
    assert (len(tally.components), tally.strategies, tally.total.resolved) == (NAMES_MAX, {}, NAMES_MAX + 5)
