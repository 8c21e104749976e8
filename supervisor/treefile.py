"""A tree of supervision as a YAML file.

At the top, and in each group, `children` stand in their start order; `pools` and `groups` are lists of their own for
those who like them apart, and start after the children. A pool or a group may also stand among the children where the
order matters: what has a `size` is a pool, what has no `cls` is a group. Every setting is one of `ChildSpec`,
`PoolSpec` or `GroupSpec`; a class is written `package.module:Class`.

    children:
      - name: audit
        cls: shop.audit:Audit
        args: [eu]
    groups:
      - name: shop
        strategy: rest_for_one
        intensity: 3
        children:
          - name: stock
            cls: shop.stock:Stock
            checkpoint: 5                 # seconds between two checkpoints
          - name: cart
            cls: shop.cart:Cart
            kwargs: {limit: 100}
            standbys: 1
            checkpoint: each_call
            methods:
              add: {attempts: 5, on: [ConnectionError, "shop.errors:Busy"], unknown: never}
        pools:
          - name: pickers
            cls: shop.picking:Picker
            size: 4
            restart: transient
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from actors.runtime.errors import ConfigError
from actors.runtime.settings import path_text
from supervisor.specs.classes import class_text
from supervisor.specs.group import TreeSpec
from supervisor.yamlfile import parse_mapping, read_mapping

Place = tuple[int | str, ...]


def load_tree(source: TreeSpec | Mapping[str, Any] | str | Path) -> TreeSpec:
    """The tree from itself, a mapping, or a YAML file's path. The modules of its classes are imported.

    Raises:
        ConfigError: The file is missing or no YAML, or keys or values are wrong; all of them are named with their path.
    """
    match source:
        case TreeSpec():
            return source
        case Mapping():
            return TreeSpec.parse(dict(source), source="tree")
        case str() | Path():
            return TreeSpec.parse(read_mapping(Path(source)), source=str(source))
        case _:
            kind = type(source).__name__
            raise ConfigError("tree", problems=(f"expected a TreeSpec, a mapping or a YAML file's path, not {kind}",))


def parse_tree(text: str, *, source: str = "tree") -> TreeSpec:
    """The tree that a YAML text describes.

    Args:
        text: The YAML document.
        source: Where it came from, for the message.
    Raises:
        ConfigError: As `load_tree`.
    """
    return TreeSpec.parse(parse_mapping(text, source=source), source=source)


_BREAKS = frozenset("\r\x85\u2028\u2029")


def dump_tree(tree: TreeSpec) -> str:
    """The YAML text that describes a tree; `parse_tree` of it is the same tree. Defaults are left out.

    Raises:
        ConfigError: An argument is no plain data (null, booleans, numbers, texts, lists and mappings of those).
    """
    import yaml  # noqa: PLC0415 - 40 ms that only a file needs

    problems: list[str] = []
    data = _plain(tree, (), problems)
    if problems:
        raise ConfigError("tree", problems=tuple(problems))

    class Dumper(yaml.SafeDumper):
        """Quotes texts with the other line breaks of YAML 1.1: PyYAML folds them where nothing is escaped."""

    def text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
        style = '"' if _BREAKS.intersection(value) else None
        return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)

    Dumper.add_representer(str, text)
    return yaml.dump(data, Dumper=Dumper, sort_keys=False, allow_unicode=True)


def _plain(value: object, place: Place, problems: list[str]) -> Any:
    match value:
        case BaseModel():
            return {
                name: _plain(getattr(value, name), (*place, name), problems)
                for name, field in type(value).model_fields.items()
                if field.is_required() or getattr(value, name) != field.get_default(call_default_factory=True)
            }
        case type():
            return class_text(value)
        case dict():
            return {key: _plain(item, (*place, str(key)), problems) for key, item in value.items()}
        case list() | tuple() if isinstance(value, list) or _is_field(place):
            return [_plain(item, (*place, number), problems) for number, item in enumerate(value)]
        case None | bool() | int() | float() | str():
            return value
        case _:
            problems.append(f"{path_text(place)}: a {type(value).__name__} cannot be written into a file")
            return None


def _is_field(place: Place) -> bool:
    """Whether a tuple here is a setting's own; one in the arguments would come back as a list."""
    return not any(part in ("args", "kwargs") for part in place[:-1])
