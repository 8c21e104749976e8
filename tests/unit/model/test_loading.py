"""A file is read whole, or refused with every problem, its line and its path; it is Chaos Toolkit's as well."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.runtime.errors import ConfigError
from experiments.model.lines import lines_of, located
from experiments.model.loading import library_names, load_experiment, parse_experiment
from experiments.model.writing import as_mapping, dump_experiment, json_schema

WRONG = """\
title: x
description: y
method:
  - type: action
    name: a
    provider:
      type: python
      module: experiments.driver
      func: inject
      arguments:
        fault: crsh
  - type: action
    name: b
    provider:
      type: python
      module: experiments.driver
      func: inject
      arguments: {fault: crash, target: {kind: wrker}, lease_s: 0}
steady-state-hypothesis:
  titel: x
extensions:
  - name: ray-supervisor
    seed: abc
    lease_s: 7200
    safety:
      guards:
        - {name: g, probe: nothing, tolerance: 1}
"""


SEVERAL = library_names()[::3]


def problems(text: str, **how: Any) -> tuple[str, ...]:
    with pytest.raises(ConfigError) as caught:
        parse_experiment(text, source="t.yaml", **how)
    return caught.value.problems


def test_everything_wrong_is_told_at_once_with_line_and_path() -> None:
    assert sorted(problem.partition(": ")[0] for problem in problems(WRONG)) == [
        "line 11, method[0].provider.arguments.fault",
        "line 18, method[1].provider.arguments.lease_s",
        "line 18, method[1].provider.arguments.target.kind",
        "line 19, steady-state-hypothesis.title",
        "line 20, steady-state-hypothesis.titel",
        "line 23, extensions[0].seed",
        "line 24, extensions[0].lease_s",
        "line 27, extensions[0].safety.guards[0]",
    ]


def test_a_file_of_a_newer_schema_is_refused_for_that_alone() -> None:
    (problem,) = problems("title: x\nmethd: 1\nextensions:\n- name: ray-supervisor\n  schema_version: 2\n")
    assert problem.startswith("line 5, extensions[0].schema_version: 2 is newer than 1")
    assert "upgrade ray-supervisor" in problem


@pytest.mark.parametrize("version", ["'2'", "2.0", "1e300", "1" + "0" * 400])
def test_a_newer_schema_is_newer_however_it_is_written(version: str) -> None:
    (problem,) = problems(f"title: x\nextensions:\n- name: ray-supervisor\n  schema_version: {version}\n")
    assert re.match(r"line 4, extensions\[0\]\.schema_version: .* is newer than 1", problem), problem


def test_what_asks_for_forgotten_calls_where_none_is_made_is_told_in_its_line() -> None:
    guard = "{name: g, probe: measured, arguments: {measure: forgotten}, tolerance: 0}"
    own = f"load: {{durable_per_s: 20, tasks: 100}}\n  safety:\n    guards: [{guard}]"
    text = dump_experiment(load_experiment("kill-worker")).replace("measure: lost", "measure: forgotten")
    text = text.replace("schema_version: 1", f"schema_version: 1\n  {own}", 1)
    parse_experiment(text, source="t.yaml")
    asked = problems(text.replace("durable_per_s: 20, ", ""))
    assert [re.sub(r"^line \d+, ", "", problem.partition(": ")[0]) for problem in asked] == [
        "extensions[0].safety.guards[0].arguments.measure",
        "steady-state-hypothesis.probes[0].provider.arguments.measure",
    ]
    assert all(problem.startswith("line ") for problem in asked)


def test_json_is_read_too_and_its_faults_are_told(tmp_path: Path) -> None:
    whole = load_experiment("kill-worker")
    path = tmp_path / "e.json"
    path.write_text(json.dumps(as_mapping(whole), indent="\t"), encoding="utf-8")
    assert load_experiment(path) == whole
    assert problems('{"title": }', as_json=True) == ("line 1, column 11: is no JSON: Expecting value",)
    assert problems('{"a": 1, "a": 2}', as_json=True) == ("a: the key is given twice",)
    assert problems("[]", as_json=True) == ("holds a list, not a mapping of keys",)
    assert problems("[" * 100_000, as_json=True) == ("is nested too deeply",)
    assert problems('{\n"title": 3}', as_json=True)[0].startswith("line 2, title: ")


def test_what_is_no_file_is_told_with_the_library(tmp_path: Path) -> None:
    for source, words in [
        ("kill-wroker", "no experiment of the library; that has .*kill-worker"),
        (tmp_path, "cannot be read"),
        (3, "not int"),
    ]:
        with pytest.raises(ConfigError, match=words):
            load_experiment(source)  # pyright: ignore[reportArgumentType]
    bad = tmp_path / "b.yaml"
    bad.write_bytes(b"\xff\xfe\xfa")
    with pytest.raises(ConfigError, match="is no text"):
        load_experiment(bad)


@pytest.mark.parametrize("name", SEVERAL)
def test_what_is_dumped_is_the_same_again(name: str, tmp_path: Path) -> None:
    whole = load_experiment(name)
    path = tmp_path / "e.yaml"
    path.write_text(dump_experiment(whole), encoding="utf-8")
    assert load_experiment(path) == load_experiment(as_mapping(whole)) == load_experiment(whole) == whole


@pytest.mark.parametrize("name", SEVERAL)
def test_the_json_schema_takes_what_we_take(name: str) -> None:
    schema = json_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    validator: Any = jsonschema.Draft202012Validator(schema)
    data = json.loads(json.dumps(as_mapping(load_experiment(name))))
    validator.validate(data)
    provider = {"type": "python", "module": "experiments.driver", "func": "inject", "arguments": {"fault": "crsh"}}
    data["method"].append({"type": "action", "name": "x", "provider": provider})
    data["extensions"][-1]["lease_s"] = 0
    assert len(list(validator.iter_errors(data))) >= 2


@pytest.mark.parametrize(
    ("part", "change"),
    [
        ("method", lambda step: step["provider"].update(func="injct")),
        ("method", lambda step: step["provider"].pop("arguments")),
        ("method", lambda step: step["provider"]["arguments"].update(fault="crsh")),
        ("probes", lambda step: step["provider"]["arguments"].pop("measure")),
        ("probes", lambda step: step["provider"].pop("arguments")),
        ("probes", lambda step: step.pop("tolerance")),
        ("probes", lambda step: step.update(type="action")),
        ("extensions", lambda own: own.update(schema_version=2)),
        ("extensions", lambda own: own.update(leese_s=2)),
    ],
)
def test_the_json_schema_marks_what_we_refuse(part: str, change: Callable[[dict[str, Any]], object]) -> None:
    data = as_mapping(load_experiment("kill-worker"))
    validator: Any = jsonschema.Draft202012Validator(json_schema())
    assert list(validator.iter_errors(data)) == []
    change((data["steady-state-hypothesis"] if part == "probes" else data)[part][0])
    assert list(validator.iter_errors(data)), "an editor would not mark it"
    with pytest.raises(ConfigError):
        load_experiment(data)


def test_lines_are_those_of_the_nearest_value_that_there_is() -> None:
    lines = lines_of("a:\n  - b: 1\n    c:\n      d: 2\n")
    assert lines == {"(top level)": 1, "a": 1, "a[0]": 2, "a[0].b": 2, "a[0].c": 3, "a[0].c.d": 4}
    assert located("a[0].c.x: wrong", lines) == "line 3, a[0].c.x: wrong"
    assert located("z: wrong", lines) == "z: wrong"
    assert lines_of("a: [") == lines_of("") == {}
    assert lines_of("a: &x [*x]") == {"(top level)": 1, "a": 1, "a[0]": 1}


@given(st.text())
def test_no_text_makes_another_error(text: str) -> None:
    for as_json in (False, True):
        with suppress(ConfigError):
            parse_experiment(text, source="t", as_json=as_json)


OURS = (
    "title: x\ndescription: y\nmethod: []\nextensions:\n- name: other\n  seed: 1\n- name: ray-supervisor\n  seed: 1\n"
)


@pytest.mark.parametrize(
    ("more", "told"),
    [
        (
            "- {name: ray-supervisor, lease_s: 1}\n",
            "line 9, extensions[2].name: 'ray-supervisor' is given twice, in extensions[1], too",
        ),
        (
            "- {name: ray_supervisor, lease_s: 1}\n",
            "line 9, extensions[2].name: 'ray_supervisor' is not 'ray-supervisor', and would be passed over",
        ),
        ("- {lease_s: 1}\n", "line 9, extensions[2].name: is missing, and must be given"),
    ],
)
def test_no_entry_of_ours_is_passed_over(more: str, told: str) -> None:
    assert parse_experiment(OURS, source="t.yaml").chaos.seed == 1
    assert problems(OURS + more) == (told,)


def test_a_file_is_not_told_to_have_names_that_only_python_has() -> None:
    (told,) = problems("titel: z\n" + OURS)
    assert "steady-state-hypothesis, method" in told
    assert "chaos" not in told


def test_a_number_of_thousands_of_digits_is_told() -> None:
    (told,) = problems(f'{{"title": {"9" * 5000}}}', as_json=True)
    assert told.startswith("is no JSON: Exceeds the limit")
