"""What Ray says of a death, read as an exit class."""

from __future__ import annotations

import pytest

from supervisor.exits import classify_exit, last_line
from supervisor.tree import ExitClass


@pytest.mark.parametrize(
    ("text", "exit_class"),
    [
        ("The actor died because of an error raised in its creation task, ray::A.__init__()", "crash"),
        (
            "The actor died unexpectedly before finishing this task. Worker exit type: SYSTEM_ERROR "
            "Worker exit detail: Worker unexpectedly exits with a connection error code 2. End of file. There are some "
            "potential root causes. (1) The process is killed by SIGKILL by OOM killer due to high memory usage. (2) "
            "ray stop --force is called.",
            "killed",
        ),
        ("Task was killed due to the node running low on memory. The memory monitor killed it", "out_of_memory"),
        ("ray.exceptions.OutOfMemoryError: out of memory", "out_of_memory"),
        ("The actor died because its node has died. Node Id: 1f", "node_lost"),
        ("The node was terminated unexpectedly", "node_lost"),
        ("Worker exit type: INTENDED_USER_EXIT Worker exit detail: exit_actor() is called", "normal"),
        ("Worker exits with exit code 0", "normal"),
        ("Worker exits with exit code 01", "killed"),
        ("The actor is dead because it was killed by `ray.kill`.", "killed"),
        ("", "killed"),
    ],
)
def test_rays_words_tell_the_exit_class(text: str, exit_class: ExitClass) -> None:
    assert classify_exit(text) == exit_class


@pytest.mark.parametrize(
    ("text", "line"),
    [("", ""), ("\n \n", ""), ("one", "one"), ("Traceback:\n  File x\nValueError: no\n\n", "ValueError: no")],
)
def test_the_line_that_says_most_is_the_last(text: str, line: str) -> None:
    assert last_line(text) == line
