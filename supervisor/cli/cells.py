"""What users and their errors say stands in a terminal as it is: no markup and no control character is obeyed."""

from __future__ import annotations

from rich.text import Text

from actors.runtime.wording import visible


def cell(value: object, *, style: str = "", missing: str = "-") -> Text:
    """A value in a table.

    Args:
        value: What it is.
        style: How it looks.
        missing: What stands for None, or for an empty text.
    """
    return Text(missing if value in (None, "") else visible(str(value)), style=style)
