"""How an exception travels to its caller: as it is, else rebuilt from its parts, else as a text.

Pickle rebuilds an exception by calling its class with `args`. One whose `__init__` takes anything else pickles and then
does not load, and a caller's `Retry(on=...)` or `except` would not know it any more.
"""

from __future__ import annotations

import pickle
import traceback
from collections.abc import Iterator
from typing import Any

from actors.runtime.wire import dumps


def pickle_error(error: BaseException) -> bytes:
    """The exception as it travels, the worker's traceback noted on it; the first form that also loads again."""
    text = "".join(traceback.format_exception(error)).rstrip()
    error.__traceback__ = None
    if isinstance(error, SystemExit | KeyboardInterrupt | GeneratorExit):
        error = RuntimeError(f"the task raised {type(error).__name__}: {error}")
    for form in _forms(error, f"The worker's traceback:\n{text}"):
        try:
            data, _ = dumps(form)
            pickle.loads(data)  # noqa: S301 - our own bytes of a moment ago: some exceptions pickle and then do not load
        except Exception:  # noqa: BLE001, S112 - an exception's __reduce__ can raise anything; the next form is plainer
            continue
        return data
    return pickle.dumps(
        RuntimeError(f"{type(error).__name__}: {_text(error)} (the exception itself does not pickle)\n{text}")
    )


def rebuild(kind: type[BaseException], args: tuple[Any, ...], state: dict[str, Any]) -> BaseException:
    """An exception from its parts, without its `__init__`."""
    error = kind.__new__(kind)
    error.args = args
    error.__dict__.update(state)
    return error


class _Parts:
    """Pickles as a call of `rebuild`."""

    def __init__(self, error: BaseException, args: tuple[Any, ...], state: dict[str, Any]) -> None:
        self._call = (type(error), args, state)

    def __reduce__(self) -> tuple[Any, ...]:
        return rebuild, self._call


def _forms(error: BaseException, note: str) -> Iterator[object]:
    error.add_note(note)
    yield error
    yield _Parts(error, error.args, error.__dict__)
    lost = f"The exception's attributes do not pickle. {note}"
    yield _Parts(error, (_text(error),), {"__notes__": [lost]})


def _text(error: BaseException) -> str:
    try:
        return str(error)
    except Exception as failure:  # noqa: BLE001 - a user's __str__ can raise anything
        return f"(its text cannot be had: {type(failure).__name__})"
