"""The process of test_checkpoint_kills: puts ever later checkpoints until it is killed, and tells of each.

Every state carries its own number and a digest, so that a torn or mixed one cannot look right.
"""

from __future__ import annotations

import hashlib
import sys

from actors.checkpoint.folder import FolderStore
from actors.checkpoint.format import Checkpoint

KEY = "child/shop.cart"
CLASS = "shop.Cart"
DIGEST_BYTES = 16


def sealed(incarnation: int, number: int, size: int) -> bytes:
    """A state of about `size` bytes that says which one it is."""
    body = f"{incarnation} {number} ".encode() + b"x" * size
    return hashlib.blake2b(body, digest_size=DIGEST_BYTES).digest() + body


def unseal(state: bytes) -> tuple[int, int]:
    """Which one a state is; an AssertionError when it is torn."""
    digest, body = state[:DIGEST_BYTES], state[DIGEST_BYTES:]
    assert hashlib.blake2b(body, digest_size=DIGEST_BYTES).digest() == digest, "a torn state"
    incarnation, number, _ = body.split(b" ", 2)
    return int(incarnation), int(number)


def write(url: str, incarnation: int) -> None:
    """Claim, and put checkpoints 1, 2, 3 ... of many sizes; each number goes to stdout once it is acknowledged."""
    store = FolderStore(url)
    store.claim(KEY, incarnation)
    number = 0
    while True:
        number += 1
        state = sealed(incarnation, number, number * 7919 % 300_000)
        store.put(
            Checkpoint(
                key=KEY,
                incarnation=incarnation,
                number=number,
                class_name=CLASS,
                state_version=1,
                at_us=0,
                state=state,
            )
        )
        sys.stdout.write(f"{number}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    write(sys.argv[1], int(sys.argv[2]))
