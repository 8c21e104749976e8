"""What a user holds: reading follows what is said, and whoever changes something reads it at once."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from actors.runtime.errors import ConfigError
from tests.unit.degradation.place import Place


def test_before_anything_is_said_the_fullest_level_holds_and_nothing_is_declared():
    handle = Place().handle
    assert (handle.level, handle.features, handle.owner_heard) == ("full", (), True)
    with pytest.raises(ConfigError, match="not declared"):
        handle.enabled("chat")


def test_reading_follows_what_is_said():
    place = Place()
    handle = place.handle
    handle.feature("search", lowest="reduced", limits={"rows": {"full": 9, "minimal": 0}})
    handle.feature("chat", needs=["search"], rollout=0, tenants={"acme": True})
    enabled = handle.enabled
    assert (enabled("search"), enabled("chat", tenant="acme"), enabled("chat")) == (True, True, False)
    handle.set_level("minimal", reason="a drill", who="ann")
    assert not enabled("search")
    assert not handle.enabled("chat", tenant="acme")
    assert (handle.level, handle.reason, handle.limit("rows")) == ("minimal", "ann: a drill", 0)
    assert handle.why("chat", tenant="acme") == ("needs", "search")
    handle.auto(who="bob")
    handle.withdraw("chat")
    assert handle.features == ("search",)
    assert handle.capabilities == ("rows",)


def test_who_changes_something_reads_it_before_others_are_told():
    place = Place()
    place.handle.feature("chat")
    place.lag = True
    place.handle.set_level("emergency", reason="a drill")
    assert place.handle.level == "emergency"


def test_a_process_that_is_not_told_goes_on_as_it_was():
    place = Place()
    place.handle.feature("chat", lowest="full")
    place.lag, place.running = True, False
    place.scene.set("emergency")
    assert place.handle.enabled("chat")
    assert not place.handle.owner_heard


def test_subscribers_are_told_each_change_once_and_how_many_they_missed():
    place = Place()
    handle = place.handle
    handle.feature("chat", lowest="full")
    with handle.subscribe() as changes:
        handle.set_level("reduced", reason="a drill", who="ann")
        handle.auto(who="bob")
        told = [changes.next(5.0), changes.next(5.0)]
        assert [(each.kind, each.after, each.who) for each in told if each is not None] == [
            ("override", "reduced", "ann"),
            ("auto", "reduced", "bob"),
        ]
        assert told[0] is not None
        assert told[0].switched_off == ("chat",)
        place.lag = True
        for _ in range(40):
            place.handle.set_level("minimal", reason="again")
        place.lag = False
        place.catch_up()
        assert changes.next(5.0) is not None
        assert changes.missed == 8
    assert changes.closed


def test_bad_input_is_named():
    handle = Place().handle
    with pytest.raises(ConfigError, match="until_s"):
        handle.set_level("minimal", reason="x", until_s=0)
    with pytest.raises(ConfigError, match="colour: unknown key"):
        handle.feature("chat", colour="red")
    with pytest.raises(ConfigError, match="'tiny' is not one of"):
        handle.set_level("tiny", reason="x")


def test_coroutines_have_their_own():
    handle = Place().handle

    async def converse() -> None:
        await handle.afeature("chat")
        await handle.aset_tenant("chat", "acme", False)
        await handle.aset_level("reduced", reason="a drill")
        await handle.aauto()
        await handle.awithdraw("chat")

    asyncio.run(converse())
    assert handle.features == ()


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"name": "a\nb"}, "name: has line ends or other unprintable characters; take them away"),
        ({"name": None}, "name: Input should be a valid string"),
        ({"needs": 3}, "needs: Input should be a valid tuple"),
        ({"needs": [3]}, r"needs\[0\]: Input should be a valid string"),
        ({"limits": [1]}, "limits: Input should be a valid dictionary"),
        ({"limits": {"rows\x07": {"full": 1}}}, r"limits: 'rows.x07' has line ends"),
    ],
)
def test_a_feature_that_cannot_be_is_named(fields: Any, problem: str):
    handle = Place().handle
    with pytest.raises(ConfigError, match=problem):
        handle.feature(**{"name": "chat"} | fields)
    assert handle.features == ()


def test_needs_may_be_any_texts_that_can_be_gone_through():
    handle = Place().handle
    handle.feature("search")
    for needs in ("search", {"search"}, (each for each in ["search"]), {"search": 1}.keys()):
        handle.feature("chat", needs=needs)
        handle.withdraw("chat")


@pytest.mark.parametrize(
    "words", [{"reason": "a\nb"}, {"reason": None}, {"reason": "x", "who": "a\x1b[31m"}, {"who": 3}]
)
def test_who_and_why_are_lines_of_text(words: Any):
    place = Place()
    with pytest.raises(ConfigError, match=r"reason|who"):
        place.handle.set_level("minimal", **{"reason": "a drill"} | words)
    with pytest.raises(ConfigError, match=r"reason|who"):
        place.handle.auto(**words)
    assert place.handle.level == "full"


@pytest.mark.parametrize(
    ("tenant", "on", "problem"),
    [
        ("acme", "off", "on: Input should be a valid boolean"),
        ("acme", 1, "on: "),
        (None, True, "tenant"),
        ("", True, "tenant"),
    ],
)
def test_a_tenant_gets_a_feature_or_not_and_nothing_else(tenant: Any, on: Any, problem: str):
    handle = Place().handle
    handle.feature("chat", rollout=0)
    with pytest.raises(ConfigError, match=f"degradation.set_tenant: {problem}"):
        handle.set_tenant("chat", tenant, on)
    assert not handle.enabled("chat", tenant="acme")
