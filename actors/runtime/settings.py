"""The base of everything a user configures: frozen, typed, and a typo fails."""

from __future__ import annotations

import reprlib
from collections.abc import Iterator, Mapping
from types import UnionType
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Self, Union, get_args, get_origin

from pydantic import BaseModel, ConfigDict, Tag, ValidationError, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from actors.runtime.errors import ConfigError

if TYPE_CHECKING:
    from pydantic._internal._model_construction import ModelMetaclass as _Explaining  # its fields are then checked
else:

    class _Explaining(type(BaseModel)):
        """What is built by hand fails as what is read from a file does.

        A class with an `__init__` of its own is left alone: pydantic calls it for nested data too, and adds the path.
        """

        def __call__(cls, /, *args: Any, **fields: Any) -> Any:
            if cls.__init__ is not BaseModel.__init__:
                return super().__call__(*args, **fields)
            if cls.alone and len(args) == 1:
                args, fields = (), {cls.alone: args[0], **fields}
            if args:
                first = cls.alone or next(iter(cls.model_fields), "")
                raise TypeError(f"{cls.__name__} takes its fields by name, as {cls.__name__}({first}=...)")
            made, problems = _attempt(lambda: super(_Explaining, cls).__call__(*args, **fields), cls)
            return _checked(made, problems + cls.problems_across(fields), cls.__name__)


class Settings(BaseModel, metaclass=_Explaining):
    """Frozen settings whose fields name unit, bound and default; an unknown field is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True, allow_inf_nan=False)

    alone: ClassVar[str] = ""
    """The field that may be given without its name."""

    @field_validator("*", mode="before")
    @classmethod
    def _numbers_are_numbers(cls, value: object, info: ValidationInfo) -> object:
        """A truth would be taken for 1 or 0. The settings within these look after themselves."""
        if isinstance(value, bool | Mapping | list | tuple) and info.field_name is not None:
            for place, truth in _truths_for_numbers(value, cls.model_fields[info.field_name].annotation, ()):
                inside = f"{path_text(place)}: " if place else ""
                raise PydanticCustomError(PROBLEM, f"{inside}{truth} is no number")  # pyright: ignore[reportArgumentType] - it asks for a literal text
        return value

    @classmethod
    def parse(cls, data: object, *, source: str) -> Self:
        """Build the settings from untrusted data.

        Args:
            data: A mapping of field names to values, for example a parsed YAML document.
            source: Where it came from, for the message: a path, or `"Supervisor.start(config=...)"`.
        Raises:
            ConfigError: Lists every wrong field with its path, what is wrong and what was given.
        """
        made, problems = _attempt(lambda: cls.model_validate(data), cls)
        return _checked(made, problems + cls.problems_across(data), source)

    @classmethod
    def problems_across(cls, data: object) -> tuple[str, ...]:
        """What is wrong between fields of nested settings; told together with what is wrong in each of them.

        Settings that say nothing themselves tell what those within them say.

        Args:
            data: As it was given: nothing in it has been checked.
        Returns: Problems, each beginning with its path.
        """
        given = data if isinstance(data, Mapping) else {}
        return tuple(
            f"{name}.{problem}"
            for name, field in cls.model_fields.items()
            if isinstance(given.get(name), Mapping)
            and isinstance(field.annotation, type)
            and issubclass(field.annotation, Settings)
            for problem in field.annotation.problems_across(given[name])
        )


def _attempt(make: Any, model: Any) -> tuple[Any, tuple[str, ...]]:
    try:
        return make(), ()
    except ValidationError as error:
        return None, tuple(_problem(item, model) for item in error.errors())


def _checked(made: Any, problems: tuple[str, ...], source: str) -> Any:
    if problems:
        raise ConfigError(source, problems=problems)
    return made


def path_text(parts: tuple[int | str, ...]) -> str:
    """A place in nested data as people write it: `groups[0].children[2].restart`."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in parts)
    return text.removeprefix(".") or "(top level)"


def _truths_for_numbers(
    value: object, kind: Any, place: tuple[int | str, ...]
) -> Iterator[tuple[tuple[int | str, ...], bool]]:
    """The truths in a value that stand where its kind has a number and no truth, by their place in it."""
    members = _members(kind)
    match value:
        case bool():
            if bool not in members and (int in members or float in members):
                yield place, value
        case Mapping():
            for inner in (get_args(member)[1] for member in members if get_origin(member) is dict):
                for key, item in value.items():
                    yield from _truths_for_numbers(item, inner, (*place, str(key)))
        case list() | tuple():
            for inner in (get_args(member)[0] for member in members if get_origin(member) in (tuple, list)):
                for number, item in enumerate(value):
                    yield from _truths_for_numbers(item, inner, (*place, number))
        case _:
            pass


class _Short(reprlib.Repr):
    def __init__(self) -> None:
        super().__init__()
        self.maxstring = self.maxother = self.maxlong = 60
        self.maxdict = self.maxlist = self.maxtuple = self.maxset = self.maxlevel = 3


_SHORT = _Short()


def shown(value: object) -> str:
    """A value in few characters, whatever its `repr` does."""
    try:
        return _SHORT.repr(value)
    except Exception:  # noqa: BLE001 - a user's own __repr__, or an integer of 5,000 digits
        return f"<{type(value).__name__}>"


PROBLEM = "problem"
"""The type of a `PydanticCustomError` whose message says everything, the value included."""


def _problem(item: Any, model: type[BaseModel]) -> str:
    location = item["loc"]
    path = path_text(_place(model, location))
    match item["type"]:
        case "extra_forbidden":
            return f"{path}: unknown key; known keys here: {', '.join(_known_keys(model, location))}"
        case "missing":
            return f"{path}: is missing, and must be given"
        case "literal_error":
            allowed = item["ctx"]["expected"].replace("'", "").replace(" or ", ", ")
            return f"{path}: {shown(item['input'])} is not one of {allowed}"
        case "invalid_key":
            return f"{path_text((*_place(model, location)[:-1], shown(item['input'])))}: a key must be a text"
        case "problem":
            return f"{path}: {item['msg']}"
        case _:
            return f"{path}: {item['msg'].removeprefix('Value error, ')} (given: {shown(item['input'])})"


def _known_keys(model: type[BaseModel], location: tuple[int | str, ...]) -> list[str]:
    kinds: list[Any] = [model]
    for part in location[:-1]:
        kinds = [inner for kind in kinds for inner in _inside(kind, part)]
    return sorted(next(iter(_models(kinds))).model_fields)


def _place(model: type[BaseModel], location: tuple[int | str, ...]) -> tuple[int | str, ...]:
    """The location without what pydantic adds to tell the members of a union apart."""
    kinds: list[Any] = [model]
    place: list[int | str] = []
    for part in location:
        if not any(part == tag for kind in kinds for tag in _tags(kind)):
            place.append(part)
        kinds = [inner for kind in kinds for inner in _inside(kind, part)]
    return tuple(place)


def _members(kind: Any) -> list[Any]:
    """A union's members, else the kind itself; `Annotated` is looked through, unless it holds a tag."""
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is Annotated and not _own_tags(kind):
        return _members(arguments[0])
    if origin in (Union, UnionType):
        return [member for argument in arguments for member in _members(argument)]
    return [kind]


def _own_tags(kind: Any) -> list[str]:
    return [extra.tag for extra in getattr(kind, "__metadata__", ()) if isinstance(extra, Tag)]


def _tags(kind: Any) -> list[str]:
    return [tag for member in _members(kind) for tag in _own_tags(member)]


def _models(kinds: list[Any]) -> list[type[BaseModel]]:
    members = [member for kind in kinds for member in _members(kind)]
    return [member for member in members if isinstance(member, type) and issubclass(member, BaseModel)]


def _inside(kind: Any, part: int | str) -> list[Any]:
    """What may stand under `part`: a field, a mapping's value, a sequence's item, or a union's member of that tag."""
    found: list[Any] = []
    for member in _members(kind):
        origin, arguments = get_origin(member), get_args(member)
        if origin is Annotated:
            if part in _own_tags(member):
                found.append(arguments[0])
        elif origin is dict:
            found.append(arguments[1])
        elif origin in (tuple, list):
            found.append(arguments[0])
        elif isinstance(member, type) and issubclass(member, BaseModel) and part in member.model_fields:
            found.append(member.model_fields[str(part)].annotation)
    return found
