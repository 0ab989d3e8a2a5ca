"""Files: written so that a reader sees the old content or the new one, and opened without trust in who left them.

`read_regular` is the one door for whatever somebody else may have left: a link, a pipe, a device, far too much.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

from tinytorch.owners import owner, remove, sweep

CANNOT = {errno.EPERM, errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOTSUP, errno.EINVAL}
WRITING = ".writing-"  # before the owner in the name of a file that is not whole yet
LARGEST_ARTIFACT_BYTES = 2**28  # of a model's file: twenty times the largest baseline
STATED_AS_EMPTY_BYTES = 65_536
WITHOUT_WAITING = os.O_RDONLY | sum(getattr(os, name, 0) for name in ("O_NONBLOCK", "O_BINARY", "O_NOFOLLOW"))


class UnreadableError(OSError):
    """A file that is not read because of what it is; `strerror` says that in words which may be shown."""


def read_regular(path: Path, limit_bytes: int, *, may_lead_out: bool = False) -> bytes:
    """The content of a regular file. OSError for one that cannot be opened, is anything else or has more bytes.

    A symbolic link is followed inside its own folder, and beyond it only where it `may_lead_out`: a link that
    somebody else made would let him choose what we read.
    """
    with _opened(path, may_lead_out) as file:
        content = b"" if _size_bytes(file) > limit_bytes else _read(file, limit_bytes + 1)
        if len(content) > limit_bytes or _size_bytes(file) > limit_bytes:
            raise UnreadableError(errno.EFBIG, f"it is larger than {limit_bytes:,} bytes", str(path))
        return content


def read_start(path: Path, most_bytes: int, *, may_lead_out: bool = False) -> bytes:
    """The first bytes of a regular file, at most so many; OSError as above."""
    with _opened(path, may_lead_out) as file:
        return _read(file, most_bytes)


@contextlib.contextmanager
def _opened(path: Path, may_lead_out: bool) -> Iterator[BinaryIO]:
    """A regular file, opened without waiting for the other end of a pipe."""
    try:
        target = path.resolve(strict=True) if path.is_symlink() else path
        if target is not path and not may_lead_out and not target.is_relative_to(path.parent.resolve()):
            words = f"it is a link that leads out of its folder, to {str(target)!a}"
            raise UnreadableError(errno.ELOOP, words, str(path))
        _check_regular(path, target.stat().st_mode)  # before it is opened, because opening can make a device act
        handle = os.open(target, WITHOUT_WAITING)
    except ValueError:
        raise UnreadableError(errno.EINVAL, "its name has a null character") from None
    except RuntimeError:  # of Python before 3.13
        raise UnreadableError(errno.ELOOP, "it is a link to itself", str(path)) from None
    with open(handle, "rb") as file:  # noqa: PTH123 - opened without waiting
        _check_regular(path, os.fstat(handle).st_mode)  # it may no longer be what was looked at
        yield file


def _size_bytes(file: BinaryIO) -> int:
    return os.fstat(file.fileno()).st_size


def _read(file: BinaryIO, most_bytes: int) -> bytes:
    """Python reserves as much as it is asked to read, and files of /proc say that they are empty."""
    content: bytes | None = file.read(min(most_bytes, max(_size_bytes(file), STATED_AS_EMPTY_BYTES) + 1))
    if content is None:  # one that would be waited for
        raise UnreadableError(errno.EAGAIN, "it has nothing to read now")
    return content


def holds(path: Path, digest: str) -> bool:
    """Whether a regular file's content has this SHA-256; False for one that is too large to be ours, or not there."""
    try:
        return sha256(read_regular(path, LARGEST_ARTIFACT_BYTES)) == digest
    except OSError:
        return False


@contextlib.contextmanager
def guarded(files: Callable[[], Iterable[Path]], changed: Callable[[], None]) -> Iterator[dict[Path, bytes]]:
    """The content of files, while foreign code runs. Afterwards they are again what they were, and no others there.

    `changed` is told first, where that was not so.
    """
    there = {*files()}
    contents = {path: read_regular(path, LARGEST_ARTIFACT_BYTES) for path in there if path.is_file()}
    try:
        yield contents
    finally:
        planted = {*files()} - there
        spoiled = [path for path, content in contents.items() if not holds(path, sha256(content))]
        if planted or spoiled:
            changed()
        for path in filter(os.path.lexists, (*planted, *spoiled)):  # a folder may lie there now
            remove(path)
        for path in spoiled:
            path.parent.mkdir(parents=True, exist_ok=True)
            atomic_write(path, contents[path])


def reason(error: OSError) -> str:
    """Why a file could not be used, in words: what the system said, or we did."""
    return error.strerror or ascii(str(error))


def atomic_write(path: Path, content: bytes) -> None:
    """Write `content` beside `path`, flush it to the disk, then rename it into place.

    A file that is there keeps its mode, and its owner where we may give files away. Raises OSError (disk full, not
    writable, a directory in the way); `path` then holds what it held before.
    """
    import tempfile  # takes longer than all else here, and whoever only reads needs none

    sweep(path.parent, WRITING)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f"{WRITING}{owner()}-", suffix=".tmp")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            with _where_it_can():
                os.fsync(file.fileno())
        _dress(Path(temporary), path)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def sha256(content: bytes) -> str:
    """Hexadecimal SHA-256 of `content`."""
    import hashlib  # OpenSSL, loaded where something is hashed

    return hashlib.sha256(content).hexdigest()


def _check_regular(path: Path, mode: int) -> None:
    kinds = {stat.S_IFDIR: "a directory", stat.S_IFIFO: "a pipe (FIFO)", stat.S_IFSOCK: "a socket"}
    if not stat.S_ISREG(mode):
        kind = kinds.get(stat.S_IFMT(mode), "a device")
        raise UnreadableError(errno.EINVAL, f"it is {kind}, not a regular file", str(path))


def _dress(new: Path, old: Path) -> None:
    """Give a new file what the one that it replaces had, else what a new file gets."""
    try:
        worn = old.stat()
    except FileNotFoundError:
        with _where_it_can():
            new.chmod(0o666 & ~_umask())
        return
    with _where_it_can():
        if sys.platform != "win32" and os.geteuid() == 0:
            os.chown(new, worn.st_uid, worn.st_gid)
    with _where_it_can():
        new.chmod(stat.S_IMODE(worn.st_mode))


@contextlib.contextmanager
def _where_it_can() -> Iterator[None]:
    """What a network's file system may not do, or not for us: the content is what counts."""
    try:
        yield
    except OSError as error:
        if error.errno not in CANNOT:
            raise


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def everything_below(folder: Path) -> Iterator[os.DirEntry[str]]:
    """What lies in a folder and in those below, links as what they are, however deep; what vanishes is left out."""
    waiting = [str(folder)]
    while waiting:
        with contextlib.suppress(OSError), os.scandir(waiting.pop()) as inside:
            for each in inside:
                yield each
                if each.is_dir(follow_symlinks=False):
                    waiting.append(each.path)
