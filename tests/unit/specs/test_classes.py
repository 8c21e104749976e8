"""A class is found by its text, and what will not work with it is told beforehand."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import ray

from supervisor.specs.classes import (
    HOOKS,
    STATE_HOOKS,
    class_problem,
    class_text,
    constructor_problem,
    find_class,
    hook_problem,
    method_problem,
)
from tests.unit.specs import scene
from tests.unit.specs.scene import HERE, Abstract, Anything, BusyError, Cart, Hooked, Needy, WrongHooks, WrongStateHooks


@pytest.mark.parametrize("cls", [Cart, Cart.Line, dict])
def test_a_class_and_its_text_lead_to_each_other(cls: type) -> None:
    assert find_class(class_text(cls)) is cls


@pytest.mark.parametrize("text", ["", "a", "a.b", ":A", "a:", ".a:A"])
def test_text_of_another_form_is_refused_with_the_form(text: str) -> None:
    assert find_class(text) == f"{text!r} does not name a class; write it as 'package.module:Class'"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("no_such.module:A", "there is no module 'no_such' to import"),
        (f"{HERE}:Card", f"{HERE!r} has no 'Card'; did you mean 'Cart'?"),
        (f"{HERE}:Cart.Row", f"'{HERE}:Cart' has no 'Row'"),
        (f"{HERE}:HERE", "a value of type str is not a class"),
        (f"{HERE}:Abstract", "Abstract is abstract: it leaves open later"),
        ("math:x", "'math' has no 'x'"),
    ],
)
def test_what_cannot_be_found_is_told_with_the_remedy(text: str, said: str) -> None:
    assert str(find_class(text)).startswith(said)


def test_a_base_may_be_asked_for() -> None:
    assert find_class(f"{HERE}:BusyError", base=BaseException) is BusyError
    assert find_class(f"{HERE}:Cart", base=BaseException) == "Cart is not a subclass of BaseException"


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("raise ValueError('on purpose')", "importing 'broken_module' failed: ValueError: on purpose"),
        ("import sys; sys.exit(3)", "importing 'broken_module' failed: SystemExit: 3"),
        ("def (", "importing 'broken_module' failed: SyntaxError: "),
        ("import nowhere_else", "there is no module 'nowhere_else' to import"),
        ("raise ValueError", "importing 'broken_module' failed: ValueError"),
    ],
)
def test_a_module_that_fails_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, body: str, said: str) -> None:
    (tmp_path / "broken_module.py").write_text(body)
    monkeypatch.syspath_prepend(str(tmp_path))
    assert str(find_class("broken_module:A")).startswith(said)
    sys.modules.pop("broken_module", None)


def test_an_actor_class_of_ray_is_refused_with_the_remedy() -> None:
    assert "Ray actor class: give the plain one" in class_problem(ray.remote(type("Own", (), {})))


@pytest.mark.parametrize(
    ("cls", "args", "kwargs", "said"),
    [
        (Cart, (), {}, ""),
        (Cart, ("eu",), {"limit": 1}, ""),
        (Cart, ("eu", 1), {}, "too many positional arguments; the constructor is Cart(region='eu', *, limit=10)"),
        (Cart, (), {"limt": 1}, "got an unexpected keyword argument 'limt'; the constructor is Cart("),
        (Needy, (), {}, "missing a required argument: 'must'; the constructor is Needy(must)"),
        (type, ("a", 1, 2, 3), {}, ""),
    ],
)
def test_arguments_are_held_against_the_constructor(
    cls: type, args: tuple[object, ...], kwargs: dict[str, object], said: str
) -> None:
    found = constructor_problem(cls, args, kwargs)
    assert found.startswith(said) if said else not found


def test_hooks_that_can_be_called_pass() -> None:
    for cls in (Hooked, Cart, dict):
        assert hook_problem(cls, tuple(HOOKS)) == ""


def test_hooks_that_cannot_be_called_are_named_all_together() -> None:
    assert hook_problem(WrongHooks, tuple(HOOKS)) == (
        "WrongHooks: its hook checkpoint(self, path) is called as checkpoint(); "
        "restore(self) is called as restore(state); stop(self, when) is called as stop(). Rename it if it is no hook"
    )
    assert hook_problem(WrongStateHooks, STATE_HOOKS)
    assert hook_problem(WrongStateHooks, ("health", "stop")) == ""


def test_a_hook_without_a_signature_is_let_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scene.Hooked, "stop", type)
    assert hook_problem(Hooked, ("stop",)) == ""


def test_methods_are_looked_for() -> None:
    assert method_problem(Cart, "add") == ""
    assert method_problem(Anything, "whatever") == ""
    assert method_problem(Cart, "ad") == "Cart has no method 'ad'; did you mean 'add'?"
    assert method_problem(Cart, "zzz") == "Cart has no method 'zzz'; it has: Line, add, total"
    assert method_problem(Abstract, "x" * 9).startswith("Abstract has no method")
    assert method_problem(type("Empty", (), {}), "x") == "Empty has no method 'x'"
