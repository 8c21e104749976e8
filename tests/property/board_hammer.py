"""The processes of test_board_processes: a writer that hammers, a reader that checks, a writer that waits to be killed.

Every payload carries its own word and digest, so that a torn one cannot look right.
"""

from __future__ import annotations

import hashlib
import sys

from actors.runtime.board import BoardReader, BoardSlot, BoardWriter

NAMES = ("a", "b", "c", "d")
DIGEST_BYTES = 16


def sealed(word: int, size: int) -> bytes:
    """A payload of about `size` bytes that says which word it belongs to."""
    body = word.to_bytes(8, "little") * (1 + size // 8)
    return hashlib.blake2b(body, digest_size=DIGEST_BYTES).digest() + body


def check(word: int, payload: bytes) -> None:
    """Raise AssertionError when the payload is torn or belongs to another word."""
    digest, body = payload[:DIGEST_BYTES], payload[DIGEST_BYTES:]
    assert hashlib.blake2b(body, digest_size=DIGEST_BYTES).digest() == digest, f"torn at word {word}"
    assert int.from_bytes(body[:8], "little") == word, f"the payload of another word than {word}"


def slots(path: str) -> list[BoardSlot]:
    reader = BoardReader(path)
    found = [slot for name in NAMES if (slot := reader.slot(name)) is not None]
    assert len(found) == len(NAMES)
    return found


def hammer(path: str, last: int) -> None:
    """Put words 1 to `last` under every name as fast as it goes; the first waits for a line on stdin."""
    writer = BoardWriter(path)
    for name in NAMES:
        writer.put(name, 1, sealed(1, 0))
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.readline()
    for word in range(2, last + 1):
        for number, name in enumerate(NAMES):
            writer.put(name, word, sealed(word, word * 37 * (number + 1) % 3000))


def follow(path: str, last: int) -> None:
    """Read until every name shows `last`: no torn payload, no word that goes back. Prints how many values were seen."""
    board = slots(path)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    seen, glances, reads = [0] * len(board), [0] * len(board), 0
    while min(seen) < last:
        for number, slot in enumerate(board):
            glance = slot.word()
            word, payload = slot.read()
            check(word, payload)
            assert seen[number] <= word, f"read {seen[number]}, then {word}"
            assert glances[number] <= glance, f"saw {glances[number]}, then {glance}"
            seen[number], glances[number] = word, glance
            reads += 1
    sys.stdout.write(f"{reads}\n")


def die(path: str, size: int) -> None:
    """Take over and put ever greater words until killed."""
    writer = BoardWriter(path)
    reader = BoardReader(path)
    word = max((slot.read()[0] for name in reader.names() if (slot := reader.slot(name))), default=0)
    while True:
        word += 1
        payload = sealed(word, size + word % 64)
        for name in NAMES:
            writer.put(name, word, payload)


if __name__ == "__main__":
    {"hammer": hammer, "follow": follow, "die": die}[sys.argv[1]](sys.argv[2], int(sys.argv[3]))
