"""The checker finds what is lost, doubled and made up, and nothing else: as a checker that keeps everything does."""

from __future__ import annotations

from collections import Counter
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments.checker import (
    SHOWN_MAX,
    Checked,
    Effect,
    Ended,
    Fact,
    HistoryChecker,
    Submitted,
    check,
    facts_of_rows,
)

KEYS = st.sampled_from("abcd")
TOKENS = st.sampled_from(["t1", "t2", "t3"])
FACTS = st.one_of(
    KEYS.map(Submitted),
    st.builds(Effect, KEYS, TOKENS),
    st.builds(Ended, KEYS, st.booleans(), TOKENS),
)


def brute_force(facts: list[Fact], *, witnessed: bool = True) -> tuple[set[str], set[str], set[str]]:
    """Lost, doubled and unexpected keys, from everything that is known of each key."""
    lost: set[str] = set()
    doubled: set[str] = set()
    unexpected: set[str] = set()
    for key in {fact.key for fact in facts}:
        submitted = [fact for fact in facts if isinstance(fact, Submitted) and fact.key == key]
        effects = [fact for fact in facts if isinstance(fact, Effect) and fact.key == key]
        endings = [fact for fact in facts if isinstance(fact, Ended) and fact.key == key]
        good = [ending for ending in endings if ending.ok]
        if submitted and (not endings or (witnessed and good and not effects)):
            lost.add(key)
        if len(effects) > 1:
            doubled.add(key)
        if not submitted:
            unexpected.add(key)
        if len({(ending.ok, ending.token if ending.ok else "") for ending in endings}) > 1:
            unexpected.add(key)
        if witnessed and good and effects and good[0].token not in {effect.token for effect in effects}:
            unexpected.add(key)
    return lost, doubled, unexpected


def found(checked: Checked) -> tuple[set[str], set[str], set[str]]:
    return set(checked.lost.keys), set(checked.doubled.keys), set(checked.unexpected.keys)


@given(st.lists(FACTS, max_size=30), st.booleans())
def test_it_finds_what_a_checker_finds_that_keeps_everything(facts: list[Fact], witnessed: bool) -> None:
    checked = check(facts, witnessed=witnessed)
    assert found(checked) == brute_force(facts, witnessed=witnessed)
    assert checked.ok == (found(checked) == (set(), set(), set()))


def clean(keys: int, rng: Random) -> list[Fact]:
    """A history in which every promise was kept, in any order; some fail, and a few of those had their effect."""
    facts: list[Fact] = []
    for number in range(keys):
        key, token, lot = f"k{number}", f"t{number}", rng.random()
        facts.append(Submitted(key))
        facts += [Effect(key, token)] * (lot < 0.92)
        facts.append(Ended(key, ok=lot < 0.9, token=token if lot < 0.9 else ""))
        facts += [facts[-1]] * (rng.random() < 0.05)  # told twice, and the same
    rng.shuffle(facts)
    return facts


@given(st.integers(1, 60), st.randoms(use_true_random=False))
def test_a_clean_history_passes(keys: int, rng: Random) -> None:
    checked = check(clean(keys, rng))
    assert checked.ok
    assert checked.problems() == ()
    assert checked.submitted == checked.attempted == keys


@given(st.integers(5, 60), st.randoms(use_true_random=False), st.data())
def test_what_is_seeded_is_found_and_nothing_else(keys: int, rng: Random, data: st.DataObject) -> None:
    facts = clean(keys, rng)
    victim = f"k{data.draw(st.integers(0, keys - 1))}"
    kind = data.draw(st.sampled_from(["lost", "doubled", "unexpected"]))
    match kind:
        case "lost":
            facts = [fact for fact in facts if not (isinstance(fact, Ended) and fact.key == victim)]
        case "doubled":
            had = any(isinstance(fact, Effect) and fact.key == victim for fact in facts)
            facts += [Effect(victim, f"t{victim[1:]}")] * (1 if had else 2)
        case _:
            victim = "stranger"
            facts.insert(data.draw(st.integers(0, len(facts))), Effect(victim, "t"))
    expected = {name: {victim} if name == kind else set[str]() for name in ("lost", "doubled", "unexpected")}
    assert found(check(facts)) == tuple(expected.values())


@pytest.mark.parametrize(
    ("facts", "problem"),
    [
        ([Submitted("a")], "1 lost: a"),
        ([Submitted("a"), Ended("a", True, "t")], "1 lost: a"),
        ([Submitted("a"), Effect("a", "t"), Effect("a", "t"), Ended("a", True, "t")], "1 doubled: a"),
        ([Submitted("a"), Effect("a", "t"), Ended("a", True, "u")], "1 unexpected: a"),
        ([Submitted("a"), Ended("a", False), Ended("a", True, "t"), Effect("a", "t")], "1 unexpected: a"),
        ([Ended("a", False)], "1 unexpected: a"),
    ],
)
def test_each_rule_by_itself(facts: list[Fact], problem: str) -> None:
    assert check(facts).problems() == (problem,)


def test_all_are_counted_and_the_first_are_named() -> None:
    checked = check(Submitted(f"k{number:04}") for number in range(1000))
    assert (checked.lost.count, len(checked.lost.keys)) == (1000, SHOWN_MAX)
    assert checked.problems() == ("1000 lost: k0000, k0001, k0002, k0003, k0004 and 995 more",)


def test_it_may_be_asked_on_the_way() -> None:
    checker = HistoryChecker(witnessed=False)
    checker.take([Submitted("a"), Submitted("b")])
    assert checker.judge().lost.count == 2
    checker.take(facts_of_rows([("a", "done"), ("b", "failed")]))
    assert checker.judge().ok
    assert Counter(checker.judge().lost.keys) == Counter()
