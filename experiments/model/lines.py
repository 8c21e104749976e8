"""In which line of a file each value stands."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from actors.runtime.settings import path_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

Place = tuple[int | str, ...]


def lines_of(text: str) -> dict[str, int]:
    """The line, from 1, of each path of a YAML or JSON text, as `method[0].provider.func`; none if it is neither."""
    import yaml  # noqa: PLC0415 - 40 ms that only a file needs

    try:
        root: Any = yaml.compose(text.replace("\t", " "), Loader=yaml.SafeLoader)
    except (yaml.YAMLError, RecursionError):
        return {}
    return {} if root is None else {path_text(place): line for place, line in _walk(root, (), set())}


def _walk(node: Any, place: Place, on_the_way: set[int]) -> Iterator[tuple[Place, int]]:
    yield place, node.start_mark.line + 1
    if id(node) in on_the_way:
        return
    on_the_way.add(id(node))
    if node.id == "sequence":
        for number, child in enumerate(node.value):
            yield from _walk(child, (*place, number), on_the_way)
    elif node.id == "mapping":
        for key, value in node.value:
            where = (*place, str(key.value))
            yield from _walk(value, where, on_the_way)
            yield where, key.start_mark.line + 1  # a long value's own mark may be lines below its key
    on_the_way.discard(id(node))


def located(problem: str, lines: Mapping[str, int]) -> str:
    """The problem with its line: of the value that it is about, else of the nearest around it."""
    path = problem.partition(": ")[0]
    while path and path not in lines:
        path = path[: max(path.rfind("."), path.rfind("["), 0)]
    line = lines.get(path)
    return problem if line is None else f"line {line}, {problem}"
