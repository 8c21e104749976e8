"""Components whose health a test decides: what is in a file says how their probes behave, in whichever process."""

from __future__ import annotations

import os
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from supervisor import Supervisor

FAST: Any = {"interval_s": 0.1, "timeout_s": 0.3}

QUICK_HEALTH: Any = {"sample_s": 0.2, "snapshot_s": 0.5, "log_passed_s": 0.0, "blind_after_s": 1.0}


@dataclass(frozen=True)
class Patient:
    """A probe. Its file says: ok, bad, hang, raise, nonsense, flood, exit. Each check leaves the pid of its process."""

    path: str

    def __call__(self) -> Any:
        with open(f"{self.path}.pids", "a") as seen:
            seen.write(f"{os.getpid()}\n")
        how = Path(self.path).read_text()
        match how:
            case "hang":
                threading.Event().wait()
            case "raise":
                raise RuntimeError("token=hunter2 is what it says")
            case "nonsense":
                return {"status": "fine"}
            case "flood":
                return False, "x" * 10_000_000
            case "exit":
                raise SystemExit(1)
            case _:
                return how == "ok", how

    def be(self, how: str) -> None:
        """From the next check on."""
        fresh = Path(f"{self.path}.new")
        fresh.write_text(how)
        fresh.rename(self.path)

    def pids(self) -> set[int]:
        """Where it was checked."""
        try:
            return {int(line) for line in Path(f"{self.path}.pids").read_text().split()}
        except FileNotFoundError:
            return set()

    def checks(self) -> int:
        """How often it was."""
        try:
            return len(Path(f"{self.path}.pids").read_text().split())
        except FileNotFoundError:
            return 0


class Ward:
    """Patients of one supervisor, watched."""

    def __init__(self, sup: Supervisor, folder: Path) -> None:
        self.sup = sup
        self._folder = folder

    def patient(self, name: str, how: str = "ok", **fields: Any) -> Patient:
        """One more, registered."""
        made = Patient(str(self._folder / name.replace("/", "-")))
        made.be(how)
        chosen: Any = {**FAST, "failures": 2, **fields}
        self.sup.health.register(name, made, **chosen)
        return made

    def state(self, name: str) -> str:
        standing = self.sup.health.standing()
        return "unknown" if standing is None else standing.components.get(name, "unregistered")

    def told(self, name: str) -> str:
        """What the last check said."""
        return next((check.detail for check in reversed(self.sup.health.history(name))), "")

    def outcomes(self, name: str) -> set[str]:
        return {check.outcome for check in self.sup.health.history(name)}
