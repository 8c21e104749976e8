"""What is wrong with a field, as an error of pydantic whose text says everything. Pure."""

from __future__ import annotations

from pydantic_core import PydanticCustomError

from actors.runtime.settings import PROBLEM


def problem(text: str) -> PydanticCustomError:
    """An error whose text says everything."""
    printable = text.encode("utf-8", "backslashreplace").decode()
    return PydanticCustomError(PROBLEM, printable)  # pyright: ignore[reportArgumentType] - it asks for a literal text


def require(text: str) -> None:
    """Raise `text` as a problem of the field at hand, unless it is empty."""
    if text:
        raise problem(text)
