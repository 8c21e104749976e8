"""What a level leaves of features, their needs, limits and rollouts."""

from __future__ import annotations

from typing import Any

import pytest

from actors.degradation.features import Portion, problems_of_feature, resolve, share_of
from actors.degradation.settings import LEVELS, FeatureSettings
from tests.unit.degradation.scene import feature


def _declared(*features: FeatureSettings) -> dict[str, FeatureSettings]:
    return {each.name: each for each in features}


@pytest.mark.parametrize(("level", "on"), [(0, True), (1, True), (2, False), (3, False)])
def test_a_feature_stays_on_down_to_its_lowest_level(level: int, *, on: bool) -> None:
    assert resolve(_declared(feature(lowest="reduced")), level=level, levels=LEVELS).plain == {"chat": on}


def test_a_feature_goes_with_what_it_needs_however_far() -> None:
    declared = _declared(feature("a", lowest="full"), feature("b", needs="a"), feature("c", needs="b"), feature("d"))
    resolved = resolve(declared, level=1, levels=LEVELS)
    assert resolved.plain == {"a": False, "b": False, "c": False, "d": True}
    assert resolved.why_off == {"a": "level", "b": "a", "c": "b"}


def test_a_level_without_a_limit_has_the_next_fuller_ones() -> None:
    limits = {"max_tokens": {"full": 4096.0, "minimal": 512.0}, "rows": {"emergency": 1.0}}
    declared = _declared(feature(limits=limits))
    told = [resolve(declared, level=level, levels=LEVELS).limits for level in range(4)]
    assert [each["max_tokens"] for each in told] == [4096.0, 4096.0, 512.0, 512.0]
    assert [each["rows"] for each in told] == [None, None, None, 1.0]


def test_who_needs_a_rolled_out_feature_is_so_itself() -> None:
    declared = _declared(feature("a", rollout=10), feature("b", needs="a"), feature("c", needs="b", rollout=50))
    resolved = resolve(declared, level=0, levels=LEVELS)
    assert resolved.plain == {}
    assert {name: [each.feature for each in portions] for name, portions in resolved.partial.items()} == {
        "a": ["a"],
        "b": ["a"],
        "c": ["a", "c"],
    }


def test_the_hash_is_the_same_for_ever() -> None:
    assert [share_of("chat", tenant) for tenant in ("acme", "umbrella", "")] == [1457, 9615, 9336]


def test_a_rollout_takes_about_its_share_and_never_gives_up_whom_it_took() -> None:
    tenants = [f"tenant-{n}" for n in range(4000)]
    taken = [
        {t for t in tenants if Portion(feature="chat", rollout=rollout, tenants={}).takes(t)}
        for rollout in (0.0, 10.0, 50.0, 100.0)
    ]
    assert [len(each) for each in taken] == [0, pytest.approx(400, abs=80), pytest.approx(2000, abs=150), 4000]
    assert taken[1] < taken[2]


def test_a_tenants_override_decides_in_place_of_the_rollout() -> None:
    portion = Portion(feature="chat", rollout=0.0, tenants={"acme": True})
    assert [portion.takes(tenant) for tenant in ("acme", "other", None)] == [True, False, False]
    whole = Portion(feature="chat", rollout=100.0, tenants={"acme": False})
    assert [whole.takes(tenant) for tenant in ("acme", "other", None)] == [False, True, True]


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"lowest": "none"}, "lowest: 'none' is not one of full, reduced, minimal, emergency"),
        ({"limits": {"x": {"none": 1}}}, "limits.x.none: no such level; there are full, reduced, minimal, emergency"),
        (
            {"limits": {"rows": {}}},
            "limits.rows: feature 'search' has declared it; a capability belongs to one feature",
        ),
        ({"needs": "nobody"}, "needs: 'nobody' is no feature yet; declare that first"),
        ({"needs": "chat"}, "needs: chat -> chat is a ring; a feature cannot need itself"),
        ({"name": "search", "needs": "top"}, "needs: search -> top -> search is a ring; a feature cannot need itself"),
        ({"name": "more"}, "name: 3 features are declared, the limit; raise features_max"),
    ],
)
def test_a_wrong_declaration_is_named(fields: dict[str, Any], problem: str) -> None:
    stands = _declared(feature("search", limits={"rows": {"full": 9}}), feature("top", needs="search"), feature())
    given = feature(**({"name": "chat"} | fields))
    assert problems_of_feature(given, stands, levels=LEVELS, features_max=3) == (problem,)


def test_a_good_one_has_no_problems_also_when_it_is_declared_anew() -> None:
    stands = _declared(feature("search", limits={"rows": {"full": 9}}))
    for given in (feature(needs="search"), feature("search", limits={"rows": {"full": 1}})):
        assert problems_of_feature(given, stands, levels=LEVELS, features_max=9) == ()
