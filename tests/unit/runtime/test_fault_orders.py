"""A fault as data: its end is so many seconds from now, and what is wrong in it is named."""

from __future__ import annotations

from typing import Any, get_args

import pytest

from actors.runtime.errors import ConfigError
from actors.runtime.fault_orders import FaultOrder, read_orders
from actors.runtime.fault_points import LEFT_S_MAX, Kind, PointFault


def order(**changed: Any) -> dict[str, Any]:
    base = {"fault_id": "r1/f", "run": "r1", "point": "child.call", "subject": "child/cart", "kind": "error"}
    return {**base, "left_s": 5.0, **changed}


def test_its_end_is_counted_from_here() -> None:
    (read,) = read_orders([order(kind="latency", delay_s=0.5, share=0.2)])
    assert read.fault(100.0) == PointFault(
        fault_id="r1/f",
        run="r1",
        point="child.call",
        subject="child/cart",
        kind="latency",
        until=105.0,
        share=0.2,
        delay_s=0.5,
    )


def test_it_knows_every_kind() -> None:
    assert FaultOrder.model_fields["kind"].annotation == Kind
    for kind in get_args(Kind):
        point = "clock" if kind == "skew" else "service.call"
        assert read_orders([order(kind=kind, point=point)])[0].kind == kind


def test_an_error_is_named_by_its_class() -> None:
    (read,) = read_orders([order(error="builtins:ConnectionError", message="no route")])
    assert read.fault(0.0).error is ConnectionError


@pytest.mark.parametrize("path", ["nowhere:Error", "builtins:Nothing", "builtins:len", "builtins:BaseException"])
def test_an_error_that_is_none_is_told(path: str) -> None:
    (read,) = read_orders([order(error=path)])
    with pytest.raises(ConfigError, match=path):
        read.fault(0.0)


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"kind": "fire"}, r"faults\[1\]: kind"),
        ({"point": "child.cal"}, "no point; there are child.call"),
        ({"left_s": LEFT_S_MAX + 1}, "left_s"),
        ({"left_s": float("inf")}, "left_s"),
        ({"share": 0}, "share"),
        ({"kind": "skew"}, "acts at the point clock"),
        ({"point": "clock"}, "acts at the point clock"),
        ({"until": 3.0}, "until: unknown key"),
        ({"error": "ConnectionError"}, "error"),
    ],
)
def test_what_is_wrong_is_named(changed: dict[str, Any], told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        read_orders([order(), order(**changed)])
