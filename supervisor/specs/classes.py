"""A user's class looked at from outside: found by its text, its constructor, its methods, its hooks."""

from __future__ import annotations

import difflib
import importlib
import inspect
from collections.abc import Callable, Mapping
from typing import Any

from actors.runtime.settings import shown

HOOKS: Mapping[str, tuple[str, ...]] = {"checkpoint": (), "restore": ("state",), "health": (), "stop": ()}
"""The optional hooks of a supervised object and the arguments that each is called with."""

STATE_HOOKS = ("checkpoint", "restore")

_REMEDY = "Run from the folder that holds it, put that on PYTHONPATH, or install the package"


def class_text(cls: type[Any]) -> str:
    """`module:Qualified.Name`, as a tree file has it."""
    return f"{cls.__module__}:{cls.__qualname__}"


def find_class(text: str, *, base: type[Any] = object) -> type[Any] | str:
    """The class that `module:Class` names, or what is wrong with it.

    Importing the module runs its code.

    Args:
        text: The module and the class in it, separated by a colon.
        base: What it must be a subclass of.
    """
    module_name, colon, qualname = text.partition(":")
    if not (module_name and colon and qualname) or module_name.startswith("."):
        return f"{text!r} does not name a class; write it as 'package.module:Class'"
    try:
        found: Any = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        return f"there is no module {error.name!r} to import ({text!r}). {_REMEDY}"
    except (Exception, SystemExit) as error:  # noqa: BLE001 - a module's own code runs here
        return f"importing {module_name!r} failed: {_told(error)}"
    for number, part in enumerate(qualname.split(".")):
        if not hasattr(found, part):
            owner = ":".join([module_name, *filter(None, [".".join(qualname.split(".")[:number])])])
            return f"{owner!r} has no {part!r}{_did_you_mean(part, _classes_in(found))}"
        found = getattr(found, part)
    return class_problem(found, base=base) or found


def class_problem(value: object, *, base: type[Any] = object) -> str:
    """Why a value is no class that can be built, or an empty text."""
    if hasattr(value, "__ray_metadata__"):
        return f"{getattr(value, '__name__', value)!r} is a Ray actor class: give the plain one, without @ray.remote"
    if not isinstance(value, type):
        return f"{_kind(value)} is not a class; give a class, or text like 'package.module:Class'"
    if not issubclass(value, base):
        return f"{value.__name__} is not a subclass of {base.__name__}"
    if inspect.isabstract(value):
        return f"{value.__name__} is abstract: it leaves open {', '.join(sorted(value.__abstractmethods__))}"
    return ""


def constructor_problem(cls: type[Any], args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> str:
    """Why the constructor does not take these arguments, or an empty text; unknown signatures take everything."""
    try:
        signature = inspect.signature(cls)
    except (ValueError, TypeError):
        return ""
    try:
        signature.bind(*args, **kwargs)
    except TypeError as error:
        return f"{error}; the constructor is {cls.__name__}{_bare(signature)}"
    return ""


def hook_problem(cls: type[Any], names: tuple[str, ...]) -> str:
    """Which of the hooks `names` that the class has cannot be called as they will be, or an empty text."""
    wrong: list[str] = []
    for name in names:
        hook = inspect.getattr_static(cls, name, None)
        function = hook.__func__ if isinstance(hook, classmethod | staticmethod) else hook
        if not callable(function):
            continue
        arguments = HOOKS[name] if isinstance(hook, staticmethod) else ("self", *HOOKS[name])
        if not _takes(function, arguments):
            wrong.append(f"{name}{_bare(inspect.signature(function))} is called as {name}({', '.join(HOOKS[name])})")
    return f"{cls.__name__}: its hook {'; '.join(wrong)}. Rename it if it is no hook" if wrong else ""


def version_problem(cls: type[Any]) -> str:
    """Why the class's `checkpoint_version` is none, or an empty text."""
    version = getattr(cls, "checkpoint_version", 1)
    if isinstance(version, int) and not isinstance(version, bool):
        return ""
    return f"{cls.__name__}.checkpoint_version is {shown(version)}; give a whole number"


def method_problem(cls: type[Any], name: str) -> str:
    """Why `name` is no method of the class, or an empty text; a class with `__getattr__` may have any."""
    if callable(getattr(cls, name, None)) or hasattr(cls, "__getattr__"):
        return ""
    return f"{cls.__name__} has no method {name!r}{_did_you_mean(name, _methods_of(cls))}"


def _bare(signature: inspect.Signature) -> inspect.Signature:
    """The signature without its annotations."""
    parameters = [each.replace(annotation=inspect.Parameter.empty) for each in signature.parameters.values()]
    return signature.replace(parameters=parameters, return_annotation=inspect.Signature.empty)


def _takes(function: Callable[..., Any], arguments: tuple[str, ...]) -> bool:
    try:
        inspect.signature(function).bind(*arguments)
    except TypeError:
        return False
    except ValueError:
        return True
    return True


def _methods_of(cls: type[Any]) -> list[str]:
    return [name for name in dir(cls) if not name.startswith("_") and callable(getattr(cls, name, None))]


def _classes_in(owner: object) -> list[str]:
    return [name for name, value in vars(owner).items() if isinstance(value, type) and not name.startswith("_")]


def _did_you_mean(name: str, known: list[str]) -> str:
    near = difflib.get_close_matches(name, known, n=1)
    if near:
        return f"; did you mean {near[0]!r}?"
    return f"; it has: {', '.join(sorted(known)[:10])}" if known else ""


def _kind(value: object) -> str:
    return f"a value of type {type(value).__name__}"


def _told(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}".rstrip(": ")
