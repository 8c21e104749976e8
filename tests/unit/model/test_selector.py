"""A selector says who is meant, and measures them in one way."""

from __future__ import annotations

import pytest

from actors.runtime.errors import ConfigError
from experiments.model.selector import Selector


def test_a_selector_is_told_in_words() -> None:
    assert Selector(kind="worker").described() == "worker, 1 of them"
    chosen = Selector(name="cart-*", labels={"zone": "eu", "app": "shop"}, node="n1", percentage=50)
    assert chosen.described() == "target, named cart-*, on node n1, label app=shop, label zone=eu, 50 % of them"
    assert Selector(group="pickers", everything=True).described() == "target, of pickers, all of them"


@pytest.mark.parametrize("both", [{"count": 1, "percentage": 5}, {"count": 1, "everything": True}])
def test_one_measure_only(both: dict[str, object]) -> None:
    with pytest.raises(ConfigError, match="exclude each other"):
        Selector.parse(both, source="t")


def test_a_measure_has_bounds() -> None:
    for wrong in (
        {"count": 0},
        {"percentage": 0},
        {"percentage": 101},
        {"kind": "wrker"},
        {"percentage": float("nan")},
    ):
        with pytest.raises(ConfigError):
            Selector.parse(wrong, source="t")
