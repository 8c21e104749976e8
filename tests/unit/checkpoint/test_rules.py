from __future__ import annotations

from dataclasses import replace

import pytest

from actors.checkpoint import format as wire
from actors.checkpoint.format import Checkpoint, encode
from actors.checkpoint.rules import Found, choose, era_of_session, order_of, refuse_stale, surplus
from actors.runtime.errors import CheckpointMismatchError, StaleIncarnationError

KEY = "child/cart"
GOOD = Checkpoint(key=KEY, incarnation=1, number=1, class_name="shop.Cart", state_version=1, at_us=0, state=b"s")
LATER = replace(GOOD, number=2, state=b"t")


def chosen(*candidates: tuple[str, bytes]) -> Found:
    return choose(KEY, candidates, class_name="shop.Cart", state_version=1)


def test_order_is_by_era_then_incarnation_then_number():
    orders = [order_of(replace(GOOD, incarnation=i, number=n), era) for era, i, n in ((0, 9, 9), (1, 1, 7), (1, 2, 1))]
    assert sorted(reversed(orders)) == orders


def test_the_newest_three_are_kept():
    orders = [(0, 1, 500), (0, 2, 1), (0, 2, 2), (0, 1, 499), (0, 2, 3)]
    assert surplus(orders) == [(0, 1, 500), (0, 1, 499)]
    assert surplus(orders, 5) == surplus([]) == []


class TestRefuseStale:
    @pytest.mark.parametrize(
        "present", [[], [(0, 2, 9)], [(0, 1, 50), (0, 2, 1)]], ids=["first", "own later number", "earlier life"]
    )
    def test_whoever_is_latest_may_write(self, present: list[tuple[int, int, int]]):
        refuse_stale(KEY, (0, 2, 5), present)

    def test_a_replaced_life_may_not(self):
        with pytest.raises(StaleIncarnationError, match=r"child/cart, refused .* incarnation 2: 3 has taken over"):
            refuse_stale(KEY, (0, 2, 500), [(0, 2, 499), (0, 3, 0)])

    def test_the_first_life_of_a_new_cluster_is_later_than_all_of_the_one_before(self):
        refuse_stale(KEY, (2, 1, 1), [(1, 70, 1)])
        with pytest.raises(StaleIncarnationError):
            refuse_stale(KEY, (1, 70, 2), [(2, 1, 1)])


class TestChoose:
    def test_the_first_good_one_is_chosen(self):
        assert chosen(("b", encode(LATER)), ("a", encode(GOOD))) == Found(LATER)

    def test_nothing_is_found_in_nothing(self):
        assert chosen() == Found(None)

    def test_bad_ones_are_passed_over_and_named(self):
        found = chosen(
            ("d", encode(LATER)[:-1]),
            ("c", b"rubbish"),
            ("b", encode(replace(LATER, key="child/other"))),
            ("a", encode(GOOD)),
        )
        assert found.checkpoint == GOOD
        assert [reason.partition(":")[0] for reason in found.skipped] == ["d", "c", "b"]
        assert "bytes" in found.skipped[0]
        assert "it is a checkpoint of child/other" in found.skipped[2]

    def test_all_bad_is_none_with_reasons(self):
        assert chosen(("a", b"")) == Found(None, ("a: it is empty",))

    def test_no_more_are_drawn_than_needed(self):
        def candidates():
            yield "b", encode(LATER)
            raise AssertionError("the second was read too")

        assert choose(KEY, candidates(), class_name="shop.Cart", state_version=1).checkpoint == LATER

    @pytest.mark.parametrize("changes", [{"class_name": "shop.Basket"}, {"state_version": 2}])
    def test_another_class_or_version_is_an_error_that_names_both(self, changes: dict[str, object]):
        other = replace(LATER, **changes)
        with pytest.raises(
            CheckpointMismatchError, match=r"is shop\.\w+ with checkpoint_version \d, expected is"
        ) as got:
            chosen(("b", encode(other)), ("a", encode(GOOD)))
        assert (got.value.key, got.value.expected) == (KEY, "shop.Cart with checkpoint_version 1")
        assert "another name or checkpoint_path" in got.value.remedy

    def test_one_of_a_later_format_is_not_passed_over(self, monkeypatch: pytest.MonkeyPatch):
        with monkeypatch.context() as later:
            later.setattr(wire, "FORMAT_VERSION", 9)
            newer = encode(LATER)
        with pytest.raises(CheckpointMismatchError, match=r"Upgrade: it has checkpoint format 9"):
            chosen(("b", newer), ("a", encode(GOOD)))


def test_sessions_of_ray_tell_their_era():
    assert era_of_session("session_2025-11-25_13-04-05_123456_7") == 20251125130405
    assert era_of_session("session_2025-11-25_13-04-05_1_7") < era_of_session("session_2025-11-25_13-04-06_0_7")
    assert era_of_session("mine") == 0
