"""The base of everything a user configures: frozen, typed, and a typo fails."""

from __future__ import annotations

from types import UnionType
from typing import TYPE_CHECKING, Any, Self, get_args, get_origin

from pydantic import BaseModel, ConfigDict, ValidationError

from actors.runtime.errors import ConfigError

if TYPE_CHECKING:
    from pydantic._internal._model_construction import ModelMetaclass as _Explaining  # its fields are then checked
else:

    class _Explaining(type(BaseModel)):
        """What is built by hand fails as what is read from a file does.

        A class with an `__init__` of its own is left alone: pydantic calls it for nested data too, and adds the path.
        """

        def __call__(cls, *args: Any, **fields: Any) -> Any:
            try:
                return super().__call__(*args, **fields)
            except ValidationError as error:
                if cls.__init__ is not BaseModel.__init__:
                    raise
                raise _config_error(error, cls, cls.__name__) from None


class Settings(BaseModel, metaclass=_Explaining):
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
            raise _config_error(error, cls, source) from None


def _config_error(error: ValidationError, model: Any, source: str) -> ConfigError:
    return ConfigError(source, problems=tuple(_problem(item, model) for item in error.errors()))


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
