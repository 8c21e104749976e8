"""Who asks for something in this process, for records that people read."""

from __future__ import annotations

import getpass
import os


def host() -> str:
    """This machine's name."""
    return os.uname().nodename


def who() -> str:
    """Who asks for something here, unless the caller says otherwise."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError, ImportError):
        user = f"uid {os.getuid()}"
    return f"{user}@{host()} pid {os.getpid()}"
