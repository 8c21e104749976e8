"""An experiment as a file, and the JSON schema by which editors help to write one."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from experiments.model.experiment import EXTENSION, SCHEMA_VERSION, Chaos, Experiment
from experiments.model.faults import FAULTS
from experiments.model.functions import ACTIONS, PROBES, Nothing
from experiments.model.safety import Guard
from experiments.model.tolerance_file import DRIVER, written
from experiments.model.tolerances import Tolerance

_TOP = ("version", "title", "description", "tags", "contributions", "configuration", "secrets", "runtime", "controls")


def as_mapping(experiment: Experiment) -> dict[str, Any]:
    """The experiment as Chaos Toolkit has it; `load_experiment` of it is the same again. Defaults are left out."""
    fields: dict[str, Any] = {name: _plain(getattr(experiment, name)) for name in _TOP if getattr(experiment, name)}
    if experiment.hypothesis is not None:
        fields["steady-state-hypothesis"] = _plain(experiment.hypothesis)
    fields["method"] = _plain(experiment.method)
    fields["rollbacks"] = _plain(experiment.rollbacks)
    own = {"name": EXTENSION, "schema_version": SCHEMA_VERSION, **_plain(experiment.chaos)}
    fields["extensions"] = [*_plain(experiment.extensions), own]
    return fields


def dump_experiment(experiment: Experiment) -> str:
    """The experiment as a YAML file."""
    import yaml  # noqa: PLC0415 - 40 ms that only a file needs

    return yaml.safe_dump(as_mapping(experiment), sort_keys=False, allow_unicode=True, width=120)


def _plain(value: Any) -> Any:
    match value:
        case Guard():
            return _plain(value.as_file())
        case Tolerance():
            return written(value)
        case BaseModel():
            return {
                name: _plain(getattr(value, name))
                for name, field in type(value).model_fields.items()
                if field.is_required() or getattr(value, name) != field.get_default(call_default_factory=True)
            }
        case dict():
            return {key: _plain(item) for key, item in value.items()}
        case list() | tuple():
            return [_plain(item) for item in value]
        case _:
            return value


def json_schema() -> dict[str, Any]:
    """The JSON schema of a file: Chaos Toolkit's own parts, our functions with their arguments, our extension."""
    definitions: dict[str, Any] = {}
    own = _schema_of(Chaos, definitions)
    own["properties"]["name"] = {"const": EXTENSION}
    own["required"] = ["name"]
    faults = [_schema_of(model, definitions) for model in FAULTS.values()]
    functions = {"inject": {"oneOf": faults}, "clear": _schema_of(Nothing, definitions)}
    functions |= {name: _schema_of(model, definitions) for name, (model, _) in PROBES.items()}
    definitions["activity"] = _activity_schema(functions)
    steps = {"type": "array", "items": {"$ref": "#/$defs/activity"}}
    looks = {"required": ["tolerance"], "properties": {"type": {"const": "probe"}}}
    other = {"type": "object", "properties": {"name": {"type": "string", "not": {"const": EXTENSION}}}}
    words = {"type": "string", "minLength": 1}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A chaos experiment of ray-supervisor",
        "type": "object",
        "required": ["title", "description", "method"],
        "additionalProperties": False,
        "properties": {
            "version": {"type": "string"},
            "title": words,
            "description": words,
            "tags": {"type": "array", "items": words},
            **{name: {"type": "object"} for name in ("contributions", "configuration", "secrets", "runtime")},
            "controls": {"type": "array", "items": {"type": "object"}},
            "steady-state-hypothesis": {
                "type": "object",
                "required": ["title"],
                "additionalProperties": False,
                "properties": {
                    "title": words,
                    "probes": {"type": "array", "items": {"allOf": [{"$ref": "#/$defs/activity"}, looks]}},
                },
            },
            "method": steps,
            "rollbacks": steps,
            "extensions": {"type": "array", "items": {"oneOf": [own, other]}},
        },
        "$defs": definitions,
    }


def _schema_of(model: type[BaseModel], definitions: dict[str, Any]) -> dict[str, Any]:
    schema = model.model_json_schema(ref_template="#/$defs/{model}")
    definitions.update(schema.pop("$defs", {}))
    return schema


def _activity_schema(functions: dict[str, Any]) -> dict[str, Any]:
    """A step; what its function takes follows from the function's name."""
    probes, actions = list(PROBES), list(ACTIONS)
    rules = [_rule({"module": {"const": DRIVER}}, {"func": {"enum": [*probes, *actions]}}, required=())]
    for name, arguments in functions.items():
        needs = ("arguments",) if name == "inject" or arguments.get("required") else ()
        named = {"module": {"const": DRIVER}, "func": {"const": name}}
        rules.append(_rule(named, {"arguments": arguments}, required=needs))
    text, number = {"type": "string", "minLength": 1}, {"type": "number", "minimum": 0}
    return {
        "type": "object",
        "required": ["type", "name", "provider"],
        "additionalProperties": False,
        "properties": {
            "type": {"enum": ["probe", "action"]},
            "name": text,
            "provider": {
                "type": "object",
                "required": ["type", "module", "func"],
                "properties": {
                    "type": {"const": "python"},
                    "module": {"type": "string", "examples": [DRIVER]},
                    "func": {"type": "string", "examples": [*probes, *actions]},
                    "arguments": {"type": "object"},
                    "secrets": {"type": "array", "items": text},
                },
            },
            "tolerance": {"type": ["boolean", "integer", "string", "array", "object"]},
            "timeout": number,
            "pauses": {"type": "object", "properties": {"before": number, "after": number}},
            "background": {"type": "boolean"},
            "controls": {"type": "array", "items": {"type": "object"}},
        },
        "allOf": rules,
    }


def _rule(provider: dict[str, Any], then: dict[str, Any], *, required: tuple[str, ...]) -> dict[str, Any]:
    """What a step's provider must have besides, where it is such a one."""
    asked = {"required": list(provider), "properties": provider}
    return {
        "if": {"required": ["provider"], "properties": {"provider": asked}},
        "then": {"properties": {"provider": {"required": list(required), "properties": then}}},
    }
