"""Names and reasons are lines of text. Pure.

They stand in messages, in tables and in terminals: a line end would tear those, and a control character can do anything
to a terminal. What people write is refused; what programs say (a probe's words, an error's) is shown in one line.
"""

from __future__ import annotations

from collections.abc import Iterable

from actors.runtime.settings import shown

_REMEDY = "has line ends or other unprintable characters; take them away"


def line(text: str) -> str:
    """The same text, for a validator of settings.

    Raises:
        ValueError: It is no line of printable text.
    """
    if not text.isprintable():
        raise ValueError(_REMEDY)
    return text


def lines(texts: Iterable[str]) -> None:
    """As `line`, of several.

    Raises:
        ValueError: One of them is no line of printable text.
    """
    for text in texts:
        if not text.isprintable():
            message = f"{text!r} {_REMEDY}"
            raise ValueError(message)


def line_problems(**fields: str) -> tuple[str, ...]:
    """What is wrong with texts; each problem begins with its field."""
    return tuple(f"{field}: {text!r} {_REMEDY}" for field, text in fields.items() if not text.isprintable())


def unsaid_problems(**fields: object) -> tuple[str, ...]:
    """The same of what has to be said: texts that are there, each a line."""
    missing = tuple(
        f"{field}: {shown(text)} is no text; say it in a line"
        for field, text in fields.items()
        if not isinstance(text, str) or not text.strip()
    )
    return missing or line_problems(**{field: str(text) for field, text in fields.items()})


def in_one_line(text: str) -> str:
    """What a program said, so that it can be shown anywhere: spaces for line ends, escapes for what cannot be seen."""
    return visible(" ".join(text.split()))


def visible(text: str) -> str:
    """The same text with escapes for what cannot be seen, but with its line ends."""
    return text if text.isprintable() else "".join(map(_visible, text))


def _visible(letter: str) -> str:
    seen = letter.isprintable() or letter in "\n\t"
    return letter if seen else letter.encode("unicode_escape").decode("ascii")
