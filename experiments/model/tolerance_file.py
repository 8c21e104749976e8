"""Tolerances as a file has them, and back. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from actors.runtime.errors import ConfigError
from actors.runtime.settings import shown
from experiments.model.tolerances import (
    OURS,
    BurnIs,
    Equals,
    HealthIs,
    JsonPath,
    OneOf,
    Range,
    Regex,
    Rows,
    Tolerance,
    is_pair,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

DRIVER = "experiments.driver"
"""The module whose functions a file names."""

_TYPES = "range, regex, jsonpath, probe"


def parse_tolerance(data: object, *, source: str) -> Tolerance:
    """The tolerance that a file's value means.

    Raises:
        ConfigError: It means none; each problem with its path.
    """
    match data:
        case bool() | int() | str():
            return Equals(value=data)
        case float():
            words = "a fraction alone is no tolerance for Chaos Toolkit; give {type: range, range: [least, most]}"
            raise ConfigError(source, problems=(f"(top level): {words}",))
        case list():
            return _of_list(cast("list[Any]", data), source)
        case dict():
            return _of_mapping(cast("dict[str, Any]", data), source)
        case _:
            raise ConfigError(source, problems=(f"(top level): {shown(data)} is no tolerance",))


def _of_list(data: list[Any], source: str) -> Tolerance:
    if not is_pair(data):
        return OneOf.parse({"values": data}, source=source)
    if any(isinstance(each, str | bool) for each in data):
        words = f"{shown(data)}: a list of two is a range, of numbers; for one of two texts give a regex"
        raise ConfigError(source, problems=(f"(top level): {words}",))
    return Range.parse({"least": data[0], "most": data[1]}, source=source)


def _of_mapping(data: dict[str, Any], source: str) -> Tolerance:
    fields = {key: value for key, value in data.items() if key != "type"}
    match data.get("type"):
        case "range":
            pair = fields.pop("range", None)
            if not is_pair(pair):
                raise ConfigError(source, problems=("range: must be two numbers, the smaller first",))
            numbers = cast("list[Any]", pair)
            return Range.parse({"least": numbers[0], "most": numbers[1], **fields}, source=source)
        case "regex":
            return Regex.parse(fields, source=source)
        case "jsonpath":
            return JsonPath.parse(fields, source=source)
        case "probe":
            return _of_probe(fields, source)
        case other:
            raise ConfigError(source, problems=(f"type: {shown(other)} is not one of {_TYPES}",))


def _of_probe(fields: dict[str, Any], source: str) -> Tolerance:
    provider: Any = fields.get("provider")
    if not isinstance(provider, dict) or cast("dict[str, Any]", provider).get("module") != DRIVER:
        raise ConfigError(source, problems=(f"provider.module: must be {DRIVER}, with one of {', '.join(OURS)}",))
    given = cast("dict[str, Any]", provider)
    if given.get("type") != "python":
        raise ConfigError(source, problems=("provider.type: must be python",))
    model = OURS.get(str(given.get("func")))
    if model is None:
        raise ConfigError(source, problems=(f"provider.func: {shown(given.get('func'))} is not one of {_names()}",))
    try:
        return model.parse(given.get("arguments", {}), source=source)
    except ConfigError as error:
        problems = tuple(f"provider.arguments.{problem}" for problem in error.problems)
        raise ConfigError(source, problems=problems) from None


def _names() -> str:
    return ", ".join(OURS)


def written(tolerance: Tolerance) -> Any:
    """The tolerance as a file has it; `parse_tolerance` of that is the same again."""
    match tolerance:
        case Equals():
            return tolerance.value
        case OneOf():
            return list(tolerance.values)
        case Range():
            return {"type": "range", "range": [tolerance.least, tolerance.most]}
        case Regex():
            return {"type": "regex", "pattern": tolerance.pattern}
        case JsonPath():
            return {"type": "jsonpath", **_set(tolerance)}
        case Rows() | HealthIs() | BurnIs():
            function = next(name for name, model in OURS.items() if model is type(tolerance))
            provider = {"type": "python", "module": DRIVER, "func": function, "arguments": _set(tolerance)}
            return {"type": "probe", "name": function, "provider": provider}
        case _:
            raise TypeError(f"{type(tolerance).__name__} cannot be written into a file; use one of this module's")


def _set(tolerance: Tolerance) -> Mapping[str, Any]:
    fields = tolerance.model_dump(exclude_defaults=True)
    return {key: list(value) if isinstance(value, tuple) else value for key, value in fields.items()}
