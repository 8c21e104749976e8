"""`apply` changes what a file says, restarts nothing unasked, and leaves alone what code has made."""

from __future__ import annotations

import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.runtime.errors import ConfigError
from supervisor.planning import (
    ANEW,
    LIVE,
    NEXT_START,
    Change,
    Kind,
    Origin,
    Plan,
    Setting,
    SettingChange,
    SpecSummary,
    plan_changes,
)
from supervisor.specs import ChildSpec, GroupSpec, PoolSpec


def spec(path: str, kind: Kind = "child", origin: Origin = "apply", **settings: str) -> SpecSummary:
    values = {name: Setting(same=value, shown=value) for name, value in settings.items()}
    return SpecSummary(path=path, kind=kind, settings=values, changed=tuple(settings), origin=origin)


def specs(*each: SpecSummary) -> dict[str, SpecSummary]:
    return {one.path: one for one in each}


SHOP = specs(spec("shop", "group"), spec("shop.cart", cls="Cart"), spec("shop.till", cls="Till", standbys="1"))


def test_every_setting_is_either_live_or_needs_a_start() -> None:
    fields = {*ChildSpec.model_fields, *PoolSpec.model_fields, *GroupSpec.model_fields}
    assert LIVE | NEXT_START | ANEW == fields - {"name", "children", "pools", "groups"}
    assert len(LIVE) + len(NEXT_START) + len(ANEW) == len(LIVE | NEXT_START | ANEW)


def test_the_first_apply_adds_everything_in_order() -> None:
    plan = plan_changes({}, SHOP)
    assert plan == Plan(added=tuple(SHOP.values()))
    assert str(plan) == ("+ group shop\n+ child shop.cart: cls Cart\n+ child shop.till: cls Till, standbys 1\n3 to add")


def test_the_same_again_changes_nothing() -> None:
    plan = plan_changes(SHOP, SHOP)
    assert plan.is_empty
    assert plan == Plan(unchanged=tuple(SHOP))
    assert str(plan) == "nothing to change: 3 as they are"


def test_a_change_that_restarts_nothing_is_at_once() -> None:
    wanted = SHOP | specs(spec("shop.till", cls="Till", standbys="2"))
    for restart_changed in (False, True):
        plan = plan_changes(SHOP, wanted, restart_changed=restart_changed)
        (change,) = plan.changed
        assert (change.path, change.effect, change.needs_start) == ("shop.till", "at once", False)
        assert change.settings == (SettingChange(name="standbys", before="1", after="2", live=True),)
    assert not plan.is_empty


@pytest.mark.parametrize(("restart_changed", "effect"), [(False, "at its next start"), (True, "restarts now")])
def test_a_change_of_what_is_built_in_waits_for_a_start_unless_asked(restart_changed: bool, effect: str) -> None:
    wanted = SHOP | specs(spec("shop.till", cls="Desk", standbys="2"))
    plan = plan_changes(SHOP, wanted, restart_changed=restart_changed)
    assert plan.changed == (
        Change(
            path="shop.till",
            kind="child",
            settings=(
                SettingChange(name="cls", before="Till", after="Desk", live=False),
                SettingChange(name="standbys", before="1", after="2", live=True),
            ),
            effect=effect,  # pyright: ignore[reportArgumentType]
        ),
    )
    assert (plan.changed[0].needs_start, plan.restart_changed) == (True, restart_changed)
    assert str(plan) == (
        f"~ child shop.till: {effect}\n    cls: Till -> Desk\n    standbys: 1 -> 2 (at once)\n"
        "1 to change, 2 as they are"
    )


def test_a_setting_that_only_one_side_knows_is_a_change() -> None:
    (change,) = plan_changes(specs(spec("a", old="1")), specs(spec("a", new="2"))).changed
    assert [(each.name, each.before, each.after) for each in change.settings] == [
        ("new", "(none)", "2"),
        ("old", "1", "(none)"),
    ]


def test_what_the_file_no_longer_has_ends_the_last_started_first() -> None:
    plan = plan_changes(SHOP | specs(spec("z")), specs(spec("z")))
    assert [each.path for each in plan.removed] == ["shop.till", "shop.cart", "shop"]
    assert plan.ended_tops == ("shop",)
    assert str(plan) == (
        "- child shop.till: ends\n- child shop.cart: ends\n- group shop: ends\n3 to end, 1 as they are"
    )


def test_a_kind_that_changes_ends_the_one_and_adds_the_other() -> None:
    plan = plan_changes(specs(spec("a")), specs(spec("a", "pool", size="2")))
    assert ([each.kind for each in plan.removed], [each.kind for each in plan.added]) == (["child"], ["pool"])


@pytest.mark.parametrize(("before", "after"), [("False", "True"), ("True", "False")])
def test_a_group_that_gets_another_supervisor_ends_and_begins_anew_with_all_in_it(before: str, after: str) -> None:
    inside = (spec("shop.cart", cls="Cart"), spec("shop.sub", "group", supervisor="False"), spec("shop.sub.x"))
    other = spec("bank", "group", supervisor="True")
    current = specs(spec("shop", "group", supervisor=before), *inside, other)
    wanted = specs(spec("shop", "group", supervisor=after), *inside, other)
    plan = plan_changes(current, wanted)
    assert [each.path for each in plan.removed] == ["shop.sub.x", "shop.sub", "shop.cart", "shop"]
    assert [each.path for each in plan.added] == ["shop", "shop.cart", "shop.sub", "shop.sub.x"]
    assert plan.ended_tops == ("shop",)
    assert (plan.changed, plan.unchanged) == ((), ("bank",))


def test_what_code_has_made_is_left_alone() -> None:
    code = specs(spec("own", "group", "code"), spec("own.a", origin="code"), spec("shop.extra", origin="code"))
    plan = plan_changes(SHOP | code, SHOP)
    assert plan == Plan(unchanged=tuple(SHOP))


def test_names_that_code_has_are_refused_all_at_once() -> None:
    current = specs(spec("a", origin="code"), spec("b", "group", "code"), spec("c"))
    with pytest.raises(ConfigError) as caught:
        plan_changes(current, specs(spec("a"), spec("b", "group"), spec("c")))
    assert caught.value.problems == (
        "a: is a child that code has made, and a file does not change it; "
        "choose another name, or delete that one first",
        "b: is a group that code has made, and a file does not change it; "
        "choose another name, or delete that one first",
    )


@pytest.mark.parametrize("wanted", [{}, specs(spec("shop"))])
def test_a_group_does_not_end_with_what_code_has_put_into_it(wanted: dict[str, SpecSummary]) -> None:
    current = SHOP | specs(spec("shop.sub", "group", "code"), spec("shop.sub.x", origin="code"))
    with pytest.raises(ConfigError) as caught:
        plan_changes(current, wanted)
    assert caught.value.problems[-1] == (
        "shop: would end, but holds shop.sub.x, which code has made; delete that one first, "
        "or keep shop in the file as the group it is"
    )


def test_only_what_has_to_move_moves() -> None:
    current = specs(*(spec(name) for name in "abcd"))
    wanted = specs(spec("d"), spec("n"), *(spec(name) for name in "abc"))
    plan = plan_changes(current, wanted)
    assert (plan.moved, plan.unchanged) == (("d",), ("a", "b", "c"))
    assert str(plan).splitlines()[1] == "> d: another place in the start order"
    assert str(plan).endswith("1 to add, 1 to move, 3 as they are")


def test_what_changes_and_moves_is_in_both() -> None:
    plan = plan_changes(specs(spec("a"), spec("b", cls="x")), specs(spec("b", cls="y"), spec("a")))
    assert [change.path for change in plan.changed] == ["b"]
    assert len(plan.moved) == 1


def test_places_are_compared_within_a_group() -> None:
    current = specs(spec("g", "group"), spec("g.a"), spec("h", "group"), spec("h.a"))
    wanted = specs(spec("h", "group"), spec("h.a"), spec("g", "group"), spec("g.a"))
    assert len(plan_changes(current, wanted).moved) == 1


def test_a_plan_travels() -> None:
    plan = plan_changes({}, SHOP)
    assert pickle.loads(pickle.dumps(plan)) == plan


TREES = st.lists(st.sampled_from("abcdef"), unique=True).flatmap(
    lambda names: st.tuples(*(st.builds(spec, st.just(name), cls=st.sampled_from("xy")) for name in names))
)


@given(TREES, TREES)
def test_every_spec_is_in_exactly_one_place_and_a_second_apply_is_empty(
    before: tuple[SpecSummary, ...], after: tuple[SpecSummary, ...]
) -> None:
    plan = plan_changes(specs(*before), specs(*after))
    told = {each.path for each in plan.added} | {change.path for change in plan.changed}
    told |= {*plan.moved, *plan.unchanged}
    assert told == {each.path for each in after}
    assert {each.path for each in plan.removed} == {each.path for each in before} - told
    stay = [each.path for each in before if each.path in told and each.path not in plan.moved]
    assert stay == [each.path for each in after if each.path in stay]
    assert plan_changes(specs(*after), specs(*after)).is_empty
