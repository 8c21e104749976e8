"""The base of everything a user configures: frozen, typed, and a typo fails."""

from __future__ import annotations

from types import UnionType
from typing import Any, Self, get_args, get_origin

from pydantic import BaseModel, ConfigDict, ValidationError

from actors.runtime.errors import ConfigError


class Settings(BaseModel):
    """Frozen settings whose fields name unit, bound and default; an unknown field is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    @classmethod
    def parse(cls, data: object, *, source: str) -> Self:
        """Build the settings from untrusted data.

        Args:
            data: A mapping of field names to values, for example a parsed YAML document.
            source: Where it came from, for the message: a path, or `"Supervisor.start(config=...)"`.
        Raises:
            ConfigError: Lists every wrong field with its path, what is wrong and what was given.
        """
        try:
            return cls.model_validate(data)
        except ValidationError as error:
            raise ConfigError(source, problems=tuple(_problem(item, cls) for item in error.errors())) from None


def _problem(item: Any, model: type[BaseModel]) -> str:
    path = ".".join(str(part) for part in item["loc"]) or "(top level)"
    if item["type"] == "extra_forbidden":
        return f"{path}: unknown key; known keys here: {', '.join(_known_keys(model, item['loc']))}"
    return f"{path}: {item['msg']} (given: {item['input']!r})"


def _known_keys(model: type[BaseModel], location: tuple[int | str, ...]) -> list[str]:
    here: Any = model
    for part in location[:-1]:
        here = _inside(here, str(part))
    return sorted(here.model_fields)


def _inside(kind: Any, part: str) -> Any:
    """What stands under `part`: a mapping's value, or a field; of a field that may be None, what else it may be."""
    if get_origin(kind) is dict:
        return get_args(kind)[1]
    annotation = kind.model_fields[part].annotation
    return next((some for some in get_args(annotation) if get_origin(annotation) is UnionType), annotation)
