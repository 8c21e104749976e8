"""Files that are there whole or not at all: on this machine's disks, and wherever fsspec reaches."""

from __future__ import annotations

import errno
import os
import shutil
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol

_LOCAL = ("file://", "local://")


class Files(Protocol):
    """What a folder of checkpoints needs of a file system. A path is `folder/name`, below the root.

    Any method raises what the file system raises; `FileNotFoundError` where a file to read is missing.
    """

    def write(self, folder: str, name: str, temporary: str, data: bytes) -> None:
        """Make the file `name`: under `temporary` first, renamed once it is whole and durable. The folder is made."""
        ...

    def names(self, folder: str) -> list[str]:
        """The names of the files in it, in no order; none when there is no such folder."""
        ...

    def read(self, folder: str, name: str) -> bytes:
        """The file's bytes."""
        ...

    def remove(self, folder: str, name: str) -> None:
        """Remove a file, if it is there."""
        ...

    def remove_folder(self, folder: str) -> None:
        """Remove a folder with all in it, if it is there."""
        ...


def open_files(url: str) -> Files:
    """The files below `url`: a local path, or any URL that fsspec knows.

    Raises:
        ValueError: fsspec knows no such protocol.
        ImportError: The package for the protocol is not installed.
    """
    path = local_path(url)
    return LocalFiles(path) if path is not None else RemoteFiles(url)


def local_path(url: str) -> Path | None:
    """The absolute path that `url` means on this machine; None when it is somewhere else."""
    for prefix in _LOCAL:
        if url.startswith(prefix):
            return Path(url.removeprefix(prefix)).absolute()
    return None if "://" in url or "::" in url else Path(url).expanduser().absolute()


def url_problem(url: str) -> str:
    """Why nothing can be kept below `url` by this process, for people; empty if its file system is there."""
    if local_path(url) is not None:
        return ""
    from fsspec import get_filesystem_class  # noqa: PLC0415 - as in `RemoteFiles`

    for part in url.split("::"):  # as in simplecache::s3://bucket/folder
        protocol = part.partition("://")[0]
        if "/" in protocol:
            continue  # a path
        try:
            get_filesystem_class(protocol)
        except ValueError:
            return f"fsspec knows no protocol {protocol!r}; name a local path or a URL such as s3://bucket/folder"
        except ImportError as error:
            return f"{str(error).rstrip('.')}; do that here and on every node"
    return ""


class LocalFiles:
    """Files on this machine: synced to the disk, and so is the folder that names them. For this user only."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def write(self, folder: str, name: str, temporary: str, data: bytes) -> None:
        place = self._root / folder
        self._make(place)
        newborn = place / temporary
        try:
            _write_durably(newborn, data)
            newborn.replace(place / name)
        except BaseException:
            with suppress(OSError):
                newborn.unlink()
            raise
        _sync_folder(place)

    def names(self, folder: str) -> list[str]:
        try:
            return os.listdir(self._root / folder)
        except FileNotFoundError:
            return []

    def read(self, folder: str, name: str) -> bytes:
        return (self._root / folder / name).read_bytes()

    def remove(self, folder: str, name: str) -> None:
        (self._root / folder / name).unlink(missing_ok=True)

    def remove_folder(self, folder: str) -> None:
        with suppress(FileNotFoundError):
            shutil.rmtree(self._root / folder)

    def _make(self, place: Path) -> None:
        """Make the folder, and sync every folder that got a new one in it: else a power cut may take it away."""
        if place.is_dir():
            return
        missing = [folder for folder in (place, *place.parents) if not folder.exists()]
        for folder in reversed(missing):
            folder.mkdir(mode=0o700, exist_ok=True)
            _sync_folder(folder.parent)


class RemoteFiles:
    """Files of any fsspec file system. Renaming is as whole as its `mv`; a torn copy is found by its digest."""

    def __init__(self, url: str) -> None:
        from fsspec.core import url_to_fs  # noqa: PLC0415 - it is not cheap, and local folders do not need it

        found: Any = url_to_fs(url)
        self._system, self._root = found[0], str(found[1]).rstrip("/")

    def write(self, folder: str, name: str, temporary: str, data: bytes) -> None:
        newborn, final = self._path(folder, temporary), self._path(folder, name)
        self._system.makedirs(self._path(folder), exist_ok=True)
        try:
            self._system.pipe_file(newborn, data)
            self._rename(newborn, final, data)
        except BaseException:
            with suppress(Exception):
                self._system.rm_file(newborn)
            raise

    def names(self, folder: str) -> list[str]:
        place = self._path(folder)
        self._system.invalidate_cache(place)  # others write here too
        try:
            listed: list[str] = self._system.ls(place, detail=False)
        except FileNotFoundError:
            return []
        return [str(path).rstrip("/").rpartition("/")[2] for path in listed]

    def read(self, folder: str, name: str) -> bytes:
        data: Any = self._system.cat_file(self._path(folder, name))
        return bytes(data)

    def remove(self, folder: str, name: str) -> None:
        with suppress(FileNotFoundError):
            self._system.rm_file(self._path(folder, name))

    def remove_folder(self, folder: str) -> None:
        place = self._path(folder)
        self._system.invalidate_cache(place)
        with suppress(FileNotFoundError):
            self._system.rm(place, recursive=True)

    def _rename(self, newborn: str, final: str, data: bytes) -> None:
        try:
            self._system.mv(newborn, final)
        except Exception:
            # Some systems rename onto no existing file. It exists when this checkpoint is written a second time.
            if not self._holds(final, data):
                raise
            self._system.rm_file(newborn)

    def _holds(self, path: str, data: bytes) -> bool:
        try:
            return bytes(self._system.cat_file(path)) == data
        except Exception:  # noqa: BLE001 - it does not, whatever the reason; the first failure is raised
            return False

    def _path(self, *parts: str) -> str:
        return "/".join((self._root, *parts))


def _write_durably(path: Path, data: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb", buffering=0) as file:
        view = memoryview(data)
        while view:
            view = view[file.write(view) :]
        os.fsync(descriptor)


def _sync_folder(path: Path) -> None:
    """Make the folder's names durable, where that can be done: some drives cannot, some folders may not be read."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    except PermissionError:
        return
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):
            raise
    finally:
        os.close(descriptor)
