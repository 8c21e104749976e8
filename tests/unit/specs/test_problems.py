"""What is wrong with a field is said in a text that can be printed anywhere."""

from __future__ import annotations

import pytest
from pydantic_core import PydanticCustomError

from supervisor.specs.problems import problem, require


def test_nothing_is_raised_where_nothing_is_wrong() -> None:
    require("")
    with pytest.raises(PydanticCustomError, match="too long"):
        require("too long")


def test_a_text_that_cannot_be_encoded_is_escaped() -> None:
    assert problem("\ud800 is no name").message().startswith("\\ud800 is")
