"""A YAML file holds a mapping, each key once, and nothing that contains itself."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.runtime.errors import ConfigError
from supervisor.yamlfile import BYTES_MAX, parse_mapping, read_mapping


def problems(text: str) -> tuple[str, ...]:
    with pytest.raises(ConfigError) as caught:
        parse_mapping(text, source="t.yaml")
    assert caught.value.source == "t.yaml"
    return caught.value.problems


def test_a_mapping_is_read_and_an_empty_file_is_an_empty_one(tmp_path: Path) -> None:
    path = tmp_path / "t.yaml"
    path.write_text("a: &x {b: 1}\nc: {<<: *x, d: [*x, *x]}\n? [e, f]\n: g\n", encoding="utf-8")
    with pytest.raises(ConfigError, match="unhashable key"):
        read_mapping(path)
    path.write_text("a: &x {b: 1}\nc: {<<: *x, d: [*x, *x]}\n", encoding="utf-8")
    assert read_mapping(path) == {"a": {"b": 1}, "c": {"b": 1, "d": [{"b": 1}, {"b": 1}]}}
    path.write_text("# nothing\n", encoding="utf-8")
    assert read_mapping(path) == {}


def test_a_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    for path, problem in [
        (tmp_path / "none.yaml", "no such file"),
        (tmp_path, "cannot be read: Is a directory"),
        (Path("a\0b"), "is no YAML: embedded null byte"),
    ]:
        with pytest.raises(ConfigError, match=problem):
            read_mapping(path)


def test_only_true_and_false_are_booleans() -> None:
    text = "on: [true, False, TRUE, yes, off, 1, 1.5, null, ~, 2020-01-01]"
    (values,) = parse_mapping(text, source="t.yaml").values()
    assert values[:9] == [True, False, True, "yes", "off", 1, 1.5, None, None]


def test_every_key_that_is_given_twice_is_named_with_both_lines() -> None:
    text = "groups:\n- name: a\n  name: b\n- {}\nx: 1\n\ngroups: []\n"
    assert problems(text) == (
        "groups: the key is given twice, in lines 1 and 7",
        "groups[0].name: the key is given twice, in lines 2 and 3",
    )


def test_an_anchor_that_contains_itself_is_named_with_its_place() -> None:
    text = "groups:\n- &g\n  name: a\n  groups: [*g]\n"
    assert problems(text) == ("groups[0].groups[0]: recursion in the file: the anchor of line 2 contains itself",)


def test_anchors_that_multiply_beyond_measure_are_refused() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9)]
    (problem,) = problems("\n".join(lines))
    assert problem.endswith("values of it; 1,000,000 are the most")


@pytest.mark.parametrize(
    "text",
    ["a: [", "a: !!int x", "a: !!bool x", "a: 2020-13-99", "a: !!timestamp x", "a: !!python/name:os.system", "a: *b"],
)
def test_what_is_no_yaml_is_told_as_that(text: str) -> None:
    (problem,) = problems(text)
    assert problem.startswith("is no YAML: ")


@pytest.mark.parametrize("text", ["a: " + "[" * 5000 + "]" * 5000, "- a", "3"])
def test_what_is_no_mapping_or_has_no_bottom_is_refused(text: str) -> None:
    (problem,) = problems(text)
    assert problem.startswith(("is nested too deeply", "holds a "))


@given(st.text())
def test_no_text_makes_another_error(text: str) -> None:
    with suppress(ConfigError):
        assert isinstance(parse_mapping(text, source="t.yaml"), dict)


def test_no_more_of_a_file_is_read_than_a_person_writes(tmp_path: Path) -> None:
    path = tmp_path / "t.yaml"
    path.write_text("#" * BYTES_MAX, encoding="utf-8")
    assert read_mapping(path) == {}
    for large in (path, Path("/dev/zero")):
        with path.open("a") as file:
            file.write("#")
        with pytest.raises(ConfigError, match="is larger than 4,194,304 bytes"):
            read_mapping(large)
