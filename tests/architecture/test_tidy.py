"""Sizes, names, and what every module, machine and error owes."""

from __future__ import annotations

import ast
import dataclasses
import importlib
import inspect
import pickle
import re
import subprocess
import types
import typing
from pathlib import Path

import pytest

FILE_LINES_MAX = 400
FUNCTION_LINES_MAX = 60
BANNED_NAMES = {"util", "utils", "helper", "helpers", "common", "manager", "managers", "misc"}
BANNED_ENDINGS = ("Manager", "Util", "Utils", "Helper", "Helpers")

# Written so that this file does not match itself.
REGISTRY = re.compile(
    r"https?://[^\s\"']*(?:pypi|pythonhosted|npmjs|artifactory|nexus|crates\.io|/simple/)|(?:extra-)?index-" + "url",
    re.I,
)
DRAWN_TRANSITION = re.compile(r"-+>|─+[>▶►]|→|\|\s*v\b|▼")


def test_files_are_short(house):
    assert [f"{file.place}: {len(file.lines)}" for file in house.files if len(file.lines) > FILE_LINES_MAX] == []


def test_functions_are_short(house):
    long = [
        f"{file.place}:{node.lineno} {node.name}: {_length(node)}"
        for file in house.files
        for node in ast.walk(file.tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and _length(node) > FUNCTION_LINES_MAX
    ]
    assert long == []


def test_names_say_what_a_thing_is(house):
    vague = [file.place for file in house.files if BANNED_NAMES & {part.lower() for part in file.module.split(".")}]
    vague += [
        f"{file.place}: {node.name}"
        for file in house.sources
        for node in ast.walk(file.tree)
        if isinstance(node, ast.ClassDef) and node.name.endswith(BANNED_ENDINGS)
    ]
    assert vague == []


def test_every_module_says_what_it_is_for(house):
    assert [file.place for file in house.sources if not ast.get_docstring(file.tree)] == []


def test_every_pure_module_has_its_unit_tests(house, root: Path):
    missing = [file for file in house.sources if file.is_pure and not file.unit_test.exists()]
    assert [f"{file.place}: {file.unit_test.relative_to(root)}" for file in missing] == []


def test_every_machine_draws_its_states(house):
    undrawn = [
        file.place
        for file in house.sources
        if file.path.name == "machine.py" and not any(DRAWN_TRANSITION.search(text) for text in _docstrings(file.tree))
    ]
    assert undrawn == []


def test_no_file_holds_a_registry_address(root: Path):
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )
    if listed.returncode != 0:
        pytest.skip("not a git checkout: what belongs to the repository is not known")
    files = [root / name for name in listed.stdout.split("\0") if name]
    holding = [str(file.relative_to(root)) for file in files if file.is_file() and REGISTRY.search(_text(file))]
    assert holding == []
    assert "uv.lock" not in listed.stdout.split("\0")


def test_every_error_pickles_with_all_its_data(house):
    """An error that loses its data between two processes misleads whoever reads it."""
    classes = _exception_classes(house)
    assert len(classes) > 10
    damaged = [f"{cls.__qualname__}: {problem}" for cls in classes if (problem := _pickling_problem(cls))]
    assert damaged == []


def test_every_error_says_more_than_its_data(house):
    """The message holds a remedy or a cause, not the bare arguments."""
    terse = [
        cls.__qualname__
        for cls in _exception_classes(house)
        if "__init__" in vars(cls) and len(str(_sample(cls))) < len("x: too terse to help")
    ]
    assert terse == []


def _length(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    return (node.end_lineno or node.lineno) - node.lineno + 1


def _docstrings(tree: ast.Module) -> list[str]:
    owners = [tree, *(node for node in tree.body if isinstance(node, ast.ClassDef))]
    return [ast.get_docstring(owner) or "" for owner in owners]


def _text(file: Path) -> str:
    return file.read_text(encoding="utf-8", errors="replace")


def _exception_classes(house) -> list[type[Exception]]:
    """All exception classes that our rooms define; only the modules that seem to define one are imported."""
    found: dict[str, type[Exception]] = {}
    for file in house.sources:
        names = [node.name for node in file.tree.body if isinstance(node, ast.ClassDef) and node.bases]
        if not any("Error" in ast.unparse(base) or "Exception" in ast.unparse(base) for base in _bases(file.tree)):
            continue
        module = importlib.import_module(file.module)
        for name in names:
            cls = getattr(module, name)
            if issubclass(cls, Exception):
                found[f"{file.module}.{name}"] = cls
    return list(found.values())


def _bases(tree: ast.Module) -> list[ast.expr]:
    return [base for node in tree.body if isinstance(node, ast.ClassDef) for base in node.bases]


def _pickling_problem(cls: type[Exception]) -> str | None:
    error = _sample(cls)
    copy = pickle.loads(pickle.dumps(error))
    if type(copy) is not type(error):
        return f"came back as {type(copy).__name__}"
    if str(copy) != str(error) or copy.args != error.args:
        return f"message changed: {copy} instead of {error}"
    if vars(copy) != vars(error):
        return f"data changed: {vars(copy)} instead of {vars(error)}"
    return None


def _sample(cls: type[Exception]) -> Exception:
    if not isinstance(cls.__init__, types.FunctionType):
        return cls("sample")
    hints = typing.get_type_hints(cls.__init__)
    positional, keywords = [], {}
    for parameter in list(inspect.signature(cls.__init__).parameters.values())[1:]:
        if parameter.kind is parameter.VAR_POSITIONAL or parameter.kind is parameter.VAR_KEYWORD:
            continue
        value = _sample_value(hints[parameter.name], parameter.name)
        if parameter.kind is parameter.KEYWORD_ONLY:
            keywords[parameter.name] = value
        else:
            positional.append(value)
    return cls(*positional, **keywords)


def _sample_value(hint: object, name: str) -> object:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        return _sample_value(arguments[0], name)
    if origin is tuple:
        return (_sample_value(arguments[0], name),)
    if origin in (list, dict, set):
        return origin()
    if origin is typing.Literal:
        return arguments[0]
    if isinstance(hint, type) and dataclasses.is_dataclass(hint):
        needed = [field.name for field in dataclasses.fields(hint) if field.default is dataclasses.MISSING]
        return hint(**{field: f"<{field}>" for field in needed})
    samples: dict[object, object] = {str: f"<{name}>", int: 3, float: 1.5, bool: True, bytes: b"x"}
    if hint not in samples:
        pytest.fail(f"no sample for an error's argument {name}: {hint}; teach _sample_value about it")
    return samples[hint]
