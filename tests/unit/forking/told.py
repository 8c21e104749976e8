"""Stands for Ray's worker program: it writes down how it was started, and ends.

python told.py --to=FILE [--thread] ...
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

if __name__ == "__main__":
    from ray._raylet import UniqueID

    to = next(argument.partition("=")[2] for argument in sys.argv if argument.startswith("--to="))
    told = {
        "argv": sys.argv,
        "path": sys.path,
        "name": __name__,
        "file": __file__,
        "folder": os.getcwd(),
        "variable": os.environ.get("A_VARIABLE"),
        "modules": sorted(name for name in sys.modules if name.startswith("actors.")),
        "drawn": UniqueID.from_random().hex(),
        "pid": os.getpid(),
        "group": os.getpgid(0),
        "parent": os.getppid(),
        "open": sorted(os.listdir("/proc/self/fd")),
    }
    print("said")  # noqa: T201 - it comes to where the raylet wants it
    Path(f"{to}.new").write_text(json.dumps(told), encoding="utf-8")
    Path(f"{to}.new").rename(to)
