"""The board's file as the kernel knows it: opened safely, mapped, locked, and put in place whole."""

from __future__ import annotations

import errno
import fcntl
import mmap
import os
import stat
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from actors.runtime.process import ProcessIdentity, is_alive


def open_own(path: Path, flags: int) -> int | None:
    """A descriptor of the file, or None when there is none; never follows a link.

    Raises:
        OSError: No folder, no permission, or not a regular file of this user.
    """
    try:
        descriptor = os.open(path, flags | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError:
        if not path.parent.is_dir():
            raise
        return None
    found = os.fstat(descriptor)
    if stat.S_ISREG(found.st_mode) and found.st_uid == os.geteuid():
        return descriptor
    os.close(descriptor)
    raise PermissionError(errno.EPERM, f"it is not a regular file of user {os.geteuid()}")


@contextmanager
def create_fresh(path: Path, size: int) -> Generator[int, None, None]:
    """A locked descriptor of a new file of zeros, mode 0600, renamed to `path` when the block ends well.

    Raises:
        OSError: No room or no permission; `path` is as it was.
    """
    fresh = path.with_name(f"{path.name}.{os.getpid()}.{os.urandom(4).hex()}.new")
    descriptor = os.open(fresh, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        # Without it a full /dev/shm is met by a store, as SIGBUS.
        os.posix_fallocate(descriptor, 0, size)
        try_lock(descriptor)
        yield descriptor
        fresh.rename(path)
    except BaseException:
        fresh.unlink(missing_ok=True)
        os.close(descriptor)
        raise


def map_words(descriptor: int, access: int) -> memoryview:
    """The file's whole words, shared with every process; an empty view of an empty file, which cannot be mapped."""
    size = os.fstat(descriptor).st_size // 8 * 8
    return memoryview(mmap.mmap(descriptor, size, access=access)) if size else memoryview(b"")


def try_lock(descriptor: int) -> bool:
    """Take the writer's lock, which ends with the process; False when a living process holds it."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def let_go(descriptor: int) -> None:
    """Unlock and close. A mapping holds a copy of the descriptor, so that closing alone would keep the lock."""
    fcntl.flock(descriptor, fcntl.LOCK_UN)
    os.close(descriptor)


def leads_to(path: Path, descriptor: int) -> bool:
    """Whether `path` is the file of `descriptor` still."""
    try:
        found = path.stat(follow_symlinks=False)
    except FileNotFoundError:
        return False
    return os.path.samestat(found, os.fstat(descriptor))


def sweep(path: Path) -> None:
    """Remove the unfinished files of writers that were killed while they created one."""
    for left in path.parent.glob(f"{path.name}.*.new"):
        owner = left.name.removeprefix(f"{path.name}.").partition(".")[0]
        if owner.isdecimal() and not is_alive(ProcessIdentity(int(owner), 0)):
            left.unlink(missing_ok=True)
