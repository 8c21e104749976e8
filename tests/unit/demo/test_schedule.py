"""The upstream's schedule is a function of (seed, key, number) and of nothing else."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter

from experiments.demo.schedule import (
    DROP_SHARE,
    REJECTED_SHARE,
    SLOW_S_MAX,
    SLOW_S_MIN,
    SLOW_SHARE,
    UNAVAILABLE_SHARE,
    Outcome,
    outcome,
)

GOLDEN = ["ok", "drop", "ok", "ok", "ok", "ok", "ok", "ok"]
KEYS = [f"order-{number}" for number in range(5000)]


def test_a_known_point_of_the_schedule_never_moves():
    """A changed hash would silently make old seeds mean something else."""
    assert [outcome(7, "order-1", number).kind for number in range(1, 9)] == GOLDEN


def test_another_process_with_another_hash_seed_agrees():
    ask = (
        "import json; from experiments.demo.schedule import outcome;"
        "print(json.dumps([[o.kind, o.delay_s, o.applies] for n in range(1, 200) for o in [outcome(3, 'k', n)]]))"
    )
    done = subprocess.run([sys.executable, "-c", ask], env={"PYTHONHASHSEED": "99"}, capture_output=True, check=True)
    here = [outcome(3, "k", number) for number in range(1, 200)]
    assert json.loads(done.stdout) == [[each.kind, each.delay_s, each.applies] for each in here]


def test_the_order_of_questions_does_not_matter():
    forwards = [outcome(5, "k", number) for number in range(1, 50)]
    backwards = [outcome(5, "k", number) for number in range(49, 0, -1)]
    assert forwards == backwards[::-1]


def test_seeds_and_keys_differ():
    def kinds(seed: int, key: str) -> list[Outcome]:
        return [outcome(seed, key, number) for number in range(1, 100)]

    assert kinds(1, "a") != kinds(2, "a") != kinds(2, "b")


def test_shares_are_what_the_constants_say():
    seen = Counter(outcome(7, key, 1).kind for key in KEYS)
    expected = {
        "rejected": REJECTED_SHARE,
        "slow": SLOW_SHARE,
        "unavailable": UNAVAILABLE_SHARE,
        "drop": DROP_SHARE,
    }
    for kind, share in expected.items():
        assert abs(seen[kind] / len(KEYS) - share) < 0.015, kind


def test_a_rejected_key_is_rejected_each_time():
    rejected = [key for key in KEYS if outcome(7, key, 1).kind == "rejected"]
    assert rejected
    again = {outcome(7, key, number) for key in rejected for number in range(1, 20)}
    assert again == {Outcome(kind="rejected", delay_s=0.0, applies=False)}


def test_half_of_the_drops_have_their_effect():
    drops = [each for key in KEYS if (each := outcome(7, key, 1)).kind == "drop"]
    assert 0.4 < sum(each.applies for each in drops) / len(drops) < 0.6


def test_only_slow_requests_wait_and_within_their_bounds():
    outcomes = [outcome(7, key, 2) for key in KEYS]
    assert all(SLOW_S_MIN <= each.delay_s < SLOW_S_MAX for each in outcomes if each.kind == "slow")
    assert all(each.delay_s == 0 for each in outcomes if each.kind != "slow")


def test_what_is_refused_never_applies_and_what_answers_always_does():
    applies = {(each.kind, each.applies) for key in KEYS for each in [outcome(7, key, 1)]}
    assert applies == {
        ("ok", True),
        ("slow", True),
        ("drop", True),
        ("drop", False),
        ("unavailable", False),
        ("rejected", False),
    }
