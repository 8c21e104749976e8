"""Reading a YAML file that a person wrote: what a parser passes over in silence is told with its place."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from actors.runtime.errors import ConfigError
from actors.runtime.settings import path_text

if TYPE_CHECKING:
    import yaml

VALUES_MAX = 1_000_000
"""Values that a file may stand for once its anchors are spelled out."""

BYTES_MAX = 4 * 2**20
"""Of a file that a person wrote; a parser of YAML takes seconds for each MiB."""

_MISSING = "no such file; give the path of a YAML file"

Place = tuple[int | str, ...]


def read_mapping(path: Path) -> dict[Any, Any]:
    """The mapping that a YAML file holds; an empty file holds an empty one.

    Raises:
        ConfigError: The file is missing, no YAML or no mapping; a key is given twice; an anchor contains itself.
    """
    return parse_mapping(read_text(path), source=str(path))


def read_text(path: Path, *, kind: str = "YAML", missing: str = _MISSING) -> str:
    """What a file holds that a person wrote: not more than that, so that no device fills the memory.

    Args:
        path: The file.
        kind: What it is to be, for the message.
        missing: What is said where it is not there.
    Raises:
        ConfigError: The file is missing, cannot be read, is too large or no text.
    """
    try:
        with path.open("rb") as file:
            data = file.read(BYTES_MAX + 1)
        if len(data) > BYTES_MAX:
            raise ConfigError(str(path), problems=(f"is larger than {BYTES_MAX:,} bytes, the most that is read",))
        return data.decode()
    except FileNotFoundError:
        raise ConfigError(str(path), problems=(missing,)) from None
    except OSError as error:
        raise ConfigError(str(path), problems=(f"cannot be read: {error.strerror}",)) from None
    except ValueError as error:
        raise ConfigError(str(path), problems=(f"is no {kind}: {error}",)) from None


def parse_mapping(text: str, *, source: str) -> dict[Any, Any]:
    """The mapping that a YAML document holds.

    Args:
        text: The document.
        source: Where it came from, for the message.
    Raises:
        ConfigError: As `read_mapping`.
    """
    data = _construct(text, source)
    if data is not None and not isinstance(data, dict):
        raise ConfigError(source, problems=(f"holds a {type(data).__name__}, not a mapping of keys",))
    return data or {}


def _construct(text: str, source: str) -> Any:
    import yaml  # noqa: PLC0415 - 40 ms that only a file needs

    try:
        loader = _loader_kind()(text)
        node = loader.get_single_node()
        problems = () if node is None else _Inspection().problems_of(node)
        if problems:
            raise ConfigError(source, problems=problems)
        return None if node is None else loader.construct_document(node)
    except RecursionError:
        raise ConfigError(source, problems=("is nested too deeply",)) from None
    # A scalar whose tag does not fit (`!!int x`, a date of a 13th month) fails in PyYAML as its conversion does.
    except (yaml.YAMLError, ValueError, KeyError, AttributeError, TypeError) as error:
        raise ConfigError(source, problems=(f"is no YAML: {error}",)) from None


@cache
def _loader_kind() -> Any:
    """PyYAML's safe loader, but as YAML 1.2 has it only `true` and `false` are booleans: `on` is a key of ours."""
    import yaml  # noqa: PLC0415 - as above

    class Loader(yaml.SafeLoader):
        """The safe loader with the booleans of YAML 1.2."""

    boolean = "tag:yaml.org,2002:bool"
    Loader.yaml_implicit_resolvers = {
        first: [(tag, pattern) for tag, pattern in resolvers if tag != boolean]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }
    Loader.add_implicit_resolver(boolean, re.compile(r"true|True|TRUE|false|False|FALSE"), list("tTfF"))
    return Loader


class _Inspection:
    """One walk over the nodes; what an anchor shares is walked once."""

    def __init__(self) -> None:
        self._found: list[str] = []
        self._sizes: dict[int, int] = {}
        self._on_the_way: set[int] = set()

    def problems_of(self, root: yaml.Node) -> tuple[str, ...]:
        values = self._size(root, ())
        if values > VALUES_MAX and not self._found:
            self._found.append(f"its anchors make {values:,} values of it; {VALUES_MAX:,} are the most")
        return tuple(self._found)

    def _size(self, node: yaml.Node, place: Place) -> int:
        """How many values the node stands for."""
        known = self._sizes.get(id(node))
        if known is not None:
            return known
        if id(node) in self._on_the_way:
            line = node.start_mark.line + 1
            self._found.append(f"{path_text(place)}: recursion in the file: the anchor of line {line} contains itself")
            return 0
        self._on_the_way.add(id(node))
        size = 1 + sum(self._size(child, where) for where, child in self._children(node, place))
        self._on_the_way.discard(id(node))
        self._sizes[id(node)] = size
        return size

    def _children(self, node: yaml.Node, place: Place) -> list[tuple[Place, yaml.Node]]:
        kind = getattr(node, "id", "")
        if kind == "sequence":
            return [((*place, number), child) for number, child in enumerate(node.value)]
        if kind != "mapping":
            return []
        found: list[tuple[Place, yaml.Node]] = []
        lines: dict[tuple[str, str], int] = {}
        for key, value in node.value:
            if key.id != "scalar":
                found += [((*place, "?"), key), ((*place, "?"), value)]
                continue
            where, line = (*place, key.value), key.start_mark.line + 1
            if (key.tag, key.value) in lines:
                first = lines[key.tag, key.value]
                self._found.append(f"{path_text(where)}: the key is given twice, in lines {first} and {line}")
            lines.setdefault((key.tag, key.value), line)
            found.append((where, value))
        return found
