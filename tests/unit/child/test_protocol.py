"""A call and its answer travel as one piece of bytes, unless ObjectRefs travel with them."""

from __future__ import annotations

from actors.child.protocol import (
    STALE,
    Answer,
    CallHeader,
    exited,
    expected,
    pack_answer,
    pack_call,
    unpack_answer,
    unpack_call,
)


def test_a_packed_call_is_what_was_packed():
    header: CallHeader = ("client", 3, 2, "add", 7)
    assert unpack_call(pack_call("child/a", header, b"arguments")) == ("child/a", header, b"arguments")


def test_an_answer_is_packed_unless_it_points_into_object_refs():
    with_refs: Answer = ("ok", b"value", ["a reference"])
    assert isinstance(pack_answer(STALE), bytes)
    assert unpack_answer(pack_answer(STALE)) == STALE
    assert unpack_answer(pack_answer(with_refs)) is with_refs


def test_answers_say_what_the_caller_needs_to_go_on():
    assert expected(41) == ("expected", b"41")
    assert exited("normal") == ("exited", b"normal")
