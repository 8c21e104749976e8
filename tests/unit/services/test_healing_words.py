"""What a person says to a healer is checked in that person's process, and nothing is asked of anybody."""

from __future__ import annotations

import threading
from typing import Any, cast

import pytest

from actors.notifier.settings import NotifierSettings
from actors.recovery.strategies import Restart
from actors.runtime.errors import ConfigError
from supervisor.healing.healer import Healer
from supervisor.healing.healing import Call, Healing
from supervisor.health.health import Health
from supervisor.notifying.notifier import Notifier


class Nobody:
    """Whoever is asked here fails the test."""

    def __getattr__(self, name: str) -> Any:
        def asked(*arguments: Any) -> Any:
            raise AssertionError((name, arguments))

        return asked


class Services:
    def client(self, key: str) -> None:
        del key

    def resident(self, name: str, make: object) -> Nobody:
        del name, make
        return Nobody()


HEALER = Healer(cast("Any", Nobody()), cast("Any", Nobody()), "s")


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        ({"component": "db", "reason": ""}, "reason: '' is no text; say it in a line"),
        ({"component": "db", "reason": None}, "reason: None is no text"),
        ({"component": "db", "reason": "a\nb"}, "reason: 'a.nb' has line ends"),
        ({"component": "a\x1b[31m", "reason": "x"}, "component: 'a.x1b.31m' has line ends"),
        ({"component": 3, "reason": "x"}, "component: 3 is no text"),
        ({"component": "db", "reason": "x", "who": "a\n"}, "who: 'a.n' has line ends"),
        ({"component": None, "reason": "x"}, "a name is needed"),
    ],
)
def test_a_hold_stands_on_record_in_lines(words: dict[str, Any], problem: str) -> None:
    with pytest.raises(ConfigError, match=problem):
        HEALER.hold(**words)


@pytest.mark.parametrize(
    ("on", "problem"),
    [
        ({"a": "b", "b": "a"}, "a -> b -> a is a ring: none of them could be the cause; cut it"),
        ({"a": ("b", "a")}, "a -> a is a ring"),
        (3, r"3 is no mapping of names to names, as in depends\(\{'web': 'db'"),
        ({"a": 3}, "is no mapping of names to names"),
        ({"a": (3,)}, "is no text"),
    ],
)
def test_dependencies_are_names_and_no_ring(on: Any, problem: str) -> None:
    with pytest.raises(ConfigError, match=problem):
        HEALER.depends(on)


def test_labels_of_a_plan_are_a_mapping() -> None:
    with pytest.raises(ConfigError, match="labels: Input should be a valid dictionary"):
        HEALER.plan("db", [Restart()], labels=cast("Any", 3))


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"fn": None}, "fn: None cannot be called; give the function"),
        ({"fn": len, "args": 3}, r"args: 3 is no tuple; write args=\(value,\)"),
        ({"fn": len, "args": "ab"}, "args: 'ab' is no tuple"),
        ({"fn": len, "kwargs": [1]}, r"kwargs: \[1\] is no mapping"),
        ({"fn": len, "component": "a\nb"}, "component: 'a.nb' has line ends"),
        ({"fn": 3, "component": ""}, "component: '' is no name.*; fn: 3 cannot be called"),
    ],
)
async def test_a_call_that_cannot_be_made_is_no_incident(fields: dict[str, Any], problem: str) -> None:
    healing = Healing(cast("Any", Services()), cast("Any", None))
    given: dict[str, Any] = {"component": "db", "args": (), "kwargs": {}, "failure": "unknown", "severity": "low"}
    with pytest.raises(ConfigError, match=problem):
        healing.heal(Call(**given | fields))
    with pytest.raises(ConfigError, match=problem):
        await healing.aheal(Call(**given | fields))


@pytest.mark.parametrize("since_s", ["a", -1, float("nan"), True, threading])
def test_history_looks_back_over_seconds(since_s: Any) -> None:
    with pytest.raises(ConfigError, match=r"health.history: since_s: .* is none; give the seconds to look back over"):
        Health(cast("Any", Nobody())).history("db", since_s=since_s)


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"title": ""}, "title: '' is no text; say it in a line"),
        ({"title": None}, "title: None is no text"),
        ({"title": "disk full\nBcc: all@example.org"}, "title: .* has line ends or other unprintable characters"),
        ({"component": 3, "severity": "awful"}, "component: 3 is no text; .*; severity: 'awful' is none"),
        ({"key": "a\x00"}, "key: 'a.x00' has line ends"),
    ],
)
def test_people_are_told_in_lines(fields: Any, problem: str) -> None:
    notifier = Notifier(cast("Any", Nobody()), NotifierSettings())
    with pytest.raises(ConfigError, match=problem):
        notifier.alert(**{"title": "disk full", "component": "db"} | fields)
    with pytest.raises(ConfigError, match="key: 3 is no text"):
        notifier.resolve(cast("Any", 3))
