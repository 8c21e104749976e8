"""What a child's actor is handed in tests: exits and records as lines of a file, checkpoints as files of a folder."""

from __future__ import annotations

import os
import pickle
from pathlib import Path

from actors.checkpoint.format import Checkpoint
from actors.checkpoint.rules import Found
from actors.runtime.errors import StaleIncarnationError


class FileStore:
    """Checkpoints as files, for all processes of this machine."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._claims = folder.with_name("claims")

    def claim(self, key: str, incarnation: int) -> None:
        self._claims.mkdir(parents=True, exist_ok=True)
        (self._claims / f"{key.replace('/', '_')}-{incarnation:06}").touch()

    def take_over(self, key: str, incarnation: int, *, class_name: str, state_version: int) -> Found:
        self.claim(key, incarnation)
        return self.latest(key, class_name=class_name, state_version=state_version)

    def put(self, checkpoint: Checkpoint) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        claims = self._claims.glob(f"{checkpoint.key.replace('/', '_')}-*")
        claimed = max((int(claim.name[-6:]) for claim in claims), default=0)
        if claimed > checkpoint.incarnation:
            raise StaleIncarnationError(checkpoint.key, sent_by=checkpoint.incarnation, accepted=claimed)
        name = f"{checkpoint.key.replace('/', '_')}-{checkpoint.incarnation:06}-{checkpoint.number:09}"
        unfinished = self._folder / f".{name}.{os.getpid()}"
        unfinished.write_bytes(pickle.dumps(checkpoint))
        unfinished.rename(self._folder / name)

    def put_soon(self, checkpoint: Checkpoint) -> None:
        self.put(checkpoint)

    def latest(self, key: str, *, class_name: str, state_version: int) -> Found:
        skipped: list[str] = []
        for file in sorted(self._folder.glob(f"{key.replace('/', '_')}-*"), reverse=True):
            data = file.read_bytes()
            if data == b"corrupt":
                skipped.append(f"{file.name} is corrupt")
                continue
            found: Checkpoint = pickle.loads(data)
            if (found.class_name, found.state_version) != (class_name, state_version):
                raise ValueError(f"{file.name} is of {found.class_name} {found.state_version}")
            return Found(found, tuple(skipped))
        return Found(None, tuple(skipped))

    def delete(self, key: str) -> None:
        for file in self._folder.glob(f"{key.replace('/', '_')}-*"):
            file.unlink()


class FilePorts:
    """The ports of a test: `lines()` reads what children said through them.

    Args:
        folder: Where it is kept.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def announce_exit(self, name: str, exit_class: str) -> None:
        self._write(f"exit {name} {exit_class}")

    def checkpoints(self, path: str | None) -> FileStore:
        return FileStore(Path(path) if path else self.folder / "checkpoints")

    def record(self, name: str, event: str, detail: str) -> None:
        self._write(f"{event} {name} {detail}".replace("\n", " "))

    def lines(self) -> list[str]:
        try:
            return (self.folder / "said").read_text(encoding="utf-8").splitlines()
        except FileNotFoundError:
            return []

    def _write(self, line: str) -> None:
        with (self.folder / "said").open("a", encoding="utf-8") as file:
            file.write(line + "\n")
