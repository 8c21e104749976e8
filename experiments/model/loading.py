"""Reading an experiment from a YAML or JSON file: all that is wrong in it is told at once, with line and path."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from difflib import SequenceMatcher
from importlib.resources import files
from pathlib import Path
from typing import Any, cast

from actors.runtime.errors import ConfigError
from actors.runtime.settings import shown
from experiments.model.experiment import EXTENSION, SCHEMA_VERSION, Chaos, Experiment, from_file
from experiments.model.lines import lines_of, located
from supervisor.yamlfile import parse_mapping, read_text

_ALIKE = 0.8


def load_experiment(source: Experiment | Mapping[str, Any] | str | Path) -> Experiment:
    """The experiment from itself, a mapping, a file's path, or the name of one of the library.

    Raises:
        ConfigError: There is none, or it is wrong; each problem with its line and path.
    """
    match source:
        case Experiment():
            return source
        case Mapping():
            return _parse(dict(source), source="experiment", lines={})
        case str() | Path():
            return read_experiment(source)[0]
        case _:
            kind = type(source).__name__
            problem = f"expected an Experiment, a mapping, a file's path or a name of the library, not {kind}"
            raise ConfigError("experiment", problems=(problem,))


def library_names() -> tuple[str, ...]:
    """The names of the experiments that come with this package."""
    entries = files("experiments").joinpath("library").iterdir()
    return tuple(sorted(entry.name.removesuffix(".yaml") for entry in entries if entry.name.endswith(".yaml")))


def parse_experiment(text: str, *, source: str, as_json: bool = False) -> Experiment:
    """The experiment that a text describes.

    Args:
        text: YAML, or JSON.
        source: Where it came from, for the message.
        as_json: It is JSON.
    Raises:
        ConfigError: As `load_experiment`.
    """
    data = _json_mapping(text, source) if as_json else parse_mapping(text, source=source)
    return _parse(data, source=source, lines=lines_of(text))


def _library_text(name: str) -> str:
    return files("experiments").joinpath("library", f"{name}.yaml").read_text(encoding="utf-8")


def read_experiment(source: str | Path) -> tuple[Experiment, str]:
    """The experiment that a name of the library, or a file's path, leads to, with its text: a pipe is read once.

    Raises:
        ConfigError: As `load_experiment`.
    """
    if isinstance(source, str) and source in library_names():
        text = _library_text(source)
        return parse_experiment(text, source=f"{source} (library)"), text
    path = Path(source)
    text = _text(path)
    return parse_experiment(text, source=str(path), as_json=path.suffix == ".json"), text


def _text(path: Path) -> str:
    missing = f"no such file, and no experiment of the library; that has {', '.join(library_names())}"
    return read_text(path, kind="text", missing=missing)


def _json_mapping(text: str, source: str) -> dict[str, Any]:
    twice: list[str] = []

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key, value in pairs:
            if key in found:
                twice.append(f"{key}: the key is given twice")
            found[key] = value
        return found

    try:
        data: Any = json.loads(text, object_pairs_hook=once)
    except json.JSONDecodeError as error:
        problem = f"line {error.lineno}, column {error.colno}: is no JSON: {error.msg}"
        raise ConfigError(source, problems=(problem,)) from None
    except ValueError as error:  # an integer of thousands of digits
        raise ConfigError(source, problems=(f"is no JSON: {error}",)) from None
    except RecursionError:
        raise ConfigError(source, problems=("is nested too deeply",)) from None
    if twice:
        raise ConfigError(source, problems=tuple(twice))
    if not isinstance(data, dict):
        raise ConfigError(source, problems=(f"holds a {type(data).__name__}, not a mapping of keys",))
    return cast("dict[str, Any]", data)


def _parse(data: dict[Any, Any], *, source: str, lines: Mapping[str, int]) -> Experiment:
    at = _own_place(data)
    newer = _newer(data, at)
    if newer:
        raise ConfigError(source, problems=(located(newer, lines),))
    wrong = list(_extension_problems(data))
    try:
        found = Experiment.parse(from_file(data), source=source)
    except ConfigError as error:
        found, wrong = None, [*(_as_in_file(problem, at) for problem in error.problems), *wrong]
    if wrong or found is None:
        raise ConfigError(source, problems=tuple(located(problem, lines) for problem in wrong))
    return found


def _extension_problems(data: Mapping[Any, Any]) -> Iterator[str]:
    """What would be passed over in silence: a second entry of ours, and one whose name is not quite ours."""
    extensions: Any = data.get("extensions")
    entries = enumerate(cast("list[Any]", extensions) if isinstance(extensions, list) else [])
    named = [(place, entry.get("name"), cast("dict[str, Any]", entry)) for place, entry in entries if _is_dict(entry)]
    ours = [place for place, name, _ in named if name == EXTENSION]
    for place in ours[1:]:
        yield f"extensions[{place}].name: {EXTENSION!r} is given twice, in extensions[{ours[0]}], too"
    for place, name, entry in named:
        if not isinstance(name, str) or not name:
            yield f"extensions[{place}].name: is missing, and must be given"
        elif name != EXTENSION and _means_ours(name, entry):
            yield f"extensions[{place}].name: {shown(name)} is not {EXTENSION!r}, and would be passed over"


def _is_dict(entry: object) -> bool:
    return isinstance(entry, dict)


def _means_ours(name: str, entry: Mapping[str, Any]) -> bool:
    """Whether another tool's entry is one of ours with a slip in its name, by what it says."""
    alike = SequenceMatcher(None, name.lower(), EXTENSION).ratio() >= _ALIKE
    return alike and not {*Chaos.model_fields}.isdisjoint(entry)


def _own_place(data: Mapping[Any, Any]) -> int:
    """The place of our entry among the extensions; that behind the last when there is none."""
    extensions: Any = data.get("extensions")
    entries = cast("list[Any]", extensions) if isinstance(extensions, list) else []
    ours = [place for place, entry in enumerate(entries) if _is_dict(entry) and entry.get("name") == EXTENSION]
    return ours[0] if ours else len(entries)


def _newer(data: Mapping[Any, Any], at: int) -> str:
    """Why nothing of it is read: it was written for a later version, and half understood is misunderstood."""
    extensions: Any = data.get("extensions")
    if not isinstance(extensions, list) or at >= len(cast("list[Any]", extensions)):
        return ""
    version: Any = extensions[at].get("schema_version", SCHEMA_VERSION)
    if not _is_later(version):
        return ""
    return (
        f"extensions[{at}].schema_version: {shown(version)} is newer than {SCHEMA_VERSION}, the latest that this "
        "version reads; upgrade ray-supervisor, or run it with the version that the file was written for"
    )


def _is_later(version: object) -> bool:
    """Also of a number that is written as a text, or with a point: what is no number at all is told by the model."""
    if isinstance(version, bool) or not isinstance(version, int | float | str):
        return False
    try:
        return float(version) > SCHEMA_VERSION
    except (ValueError, OverflowError):
        return isinstance(version, int)


def _as_in_file(problem: str, at: int) -> str:
    """The problem under the names that a file has for the parts."""
    for ours, theirs in (("hypothesis", "steady-state-hypothesis"), ("chaos", f"extensions[{at}]")):
        for end in (".", ":"):
            if problem.startswith(f"{ours}{end}"):
                return f"{theirs}{problem.removeprefix(ours)}"
    known = "known keys here: "  # in a file the field `chaos` is an extension
    told = problem.replace(f"{known}chaos, ", known)
    return told.replace("hypothesis, method", "steady-state-hypothesis, method")
