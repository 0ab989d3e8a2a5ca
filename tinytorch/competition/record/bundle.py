"""A bundle: a submission with the entry that it speaks of, in one zip file; the same content is the same file.

Whoever reads one may be handed anything: no name in it leads out of its folder, none is there twice, and what it says
of its size is checked before anything is unpacked.
"""

from __future__ import annotations

import io
import json
import re
import stat
import unicodedata
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path, PurePosixPath

from tinytorch.competition.record.reading import LARGEST_FILE_BYTES, RefusedError, read_submission
from tinytorch.files import read_regular, reason, sha256
from tinytorch.foreign import foreign_archive
from tinytorch.showing import safe_text

SUBMISSION, ENTRY = "submission.json", "entry.py"
SIGNATURE = b"PK\x03\x04"
LARGEST_BUNDLE_BYTES = 64 * 2**20  # packed, and of all its files together
MOST_FILES = 1_100
LONGEST_NAME = 200  # bytes
ADDED_FOLDER, ADDED_FILES = "__MACOSX", {".DS_Store", "Thumbs.db", "desktop.ini"}
WRITTEN = (1980, 1, 1, 0, 0, 0)  # the first time that a zip file can tell
REGULAR_FILE = (stat.S_IFREG | 0o644) << 16
PACKED_BY = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}
_ENCRYPTED = 1  # of a file's flags
_PLAIN_NAME = re.compile(r"[^\\:\x00-\x1f\x7f]+")


def is_bundle(content: bytes) -> bool:
    """Whether a file's first bytes are those of one."""
    return content.startswith(SIGNATURE)


def packed(files: Mapping[str, bytes]) -> bytes:
    """The bundle of files by their names, the submission first."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as bundle:
        for name in sorted(files, key=lambda each: (each != SUBMISSION, each)):
            about = zipfile.ZipInfo(name, WRITTEN)
            about.external_attr, about.compress_type, about.create_system = REGULAR_FILE, zipfile.ZIP_DEFLATED, 3
            bundle.writestr(about, files[name])
    return content.getvalue()


def unpacked(content: bytes) -> dict[str, bytes]:
    """The files in a bundle, by their names; RefusedError for one that is not as we write them.

    Its files are those that its submission states: otherwise whoever looks at it is shown another entry.
    """
    if len(content) > LARGEST_BUNDLE_BYTES:
        raise _refusal(f"it is larger than {LARGEST_BUNDLE_BYTES:,} bytes")
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as bundle:
            members = [each for each in bundle.infolist() if not each.is_dir() and not _is_added(each.filename)]
            _check(members, bundle.infolist())
            top = _top([each.filename for each in members])
            files = {each.filename.removeprefix(top): bundle.read(each) for each in members}
    except RefusedError:
        raise
    except Exception as error:  # noqa: BLE001 - damage makes the library raise whatever its numbers come to
        raise _refusal(
            f"it cannot be unpacked, as after an upload that broke off: {safe_text(str(error), 100)}"
        ) from None
    if SUBMISSION not in files:
        if found := foreign_archive(files):
            raise RefusedError("bundle", f"it is {found.words}", found.mend)
        inside = next((name for name in files if name.endswith(f"/{SUBMISSION}")), None)
        if sum(PurePosixPath(name).name == SUBMISSION or is_bundle(content) for name, content in files.items()) > 1:
            raise RefusedError("bundle", "it has the submissions of several in it", "unpack it, and name the folder")
        raise _refusal(f"there is no {SUBMISSION} at its top" + (f", only {_shown(inside)}" if inside else ""))
    _check_digests(files)
    return files


def _is_added(name: str) -> bool:
    """Whether it is one of the files that desktops put into what somebody packs again."""
    path = PurePosixPath(name)
    return path.parts[:1] == (ADDED_FOLDER,) or path.name in ADDED_FILES


def _top(names: Sequence[str]) -> str:
    """The one folder that everything lies in, where somebody packed that; empty where there is none."""
    tops = {name.partition("/")[0] for name in names}
    is_one = len(tops) == 1 and all("/" in name for name in names)
    return f"{tops.pop()}/" if is_one else ""


def submission_in(content: bytes) -> bytes:
    """The submission's own bytes: of a bundle, and of anything else the content itself."""
    return unpacked(content)[SUBMISSION] if is_bundle(content) else content


def read_handed_in(path: Path) -> bytes:
    """A submission from the file that was handed in, which may be a bundle; RefusedError says what is wrong with it."""
    return read_files(path)[SUBMISSION]


def read_files(path: Path) -> dict[str, bytes]:
    """The same with all files of a bundle; of a file that is none at most one byte more than a submission may have."""
    content = read_submission(path)
    if not is_bundle(content):
        if path.suffix == ".zip":
            raise _refusal("it is called .zip, and is no zip file")
        return {SUBMISSION: content}
    try:
        return unpacked(read_regular(path, LARGEST_BUNDLE_BYTES))
    except OSError as error:
        raise _refusal(f"it cannot be read: {reason(error)}") from None


def _check(members: list[zipfile.ZipInfo], everything: list[zipfile.ZipInfo]) -> None:
    """Before a byte is unpacked: how many, how large, and what they are called."""
    if len(everything) > MOST_FILES:
        raise _refusal(f"it has more than {MOST_FILES:,} files")
    if sum(each.file_size for each in members) > LARGEST_BUNDLE_BYTES:
        raise _refusal(f"its files have more than {LARGEST_BUNDLE_BYTES:,} bytes together")
    files = [each for each in everything if not each.is_dir()]
    for each in everything:
        _check_name(each.filename)
    for each in files:
        _check_kind(each)
    _check_places([each.filename for each in files])


def _check_places(names: Iterable[str]) -> None:
    """Each name is that of one file, on every system, and none is the folder of another."""
    known: set[str] = set()
    folders: set[str] = set()
    for name in names:
        alike = unicodedata.normalize("NFKC", name).casefold()
        if alike in known:
            raise _refusal(f"it has two files {_shown(name)}")
        known.add(alike)
        folders |= set(map(str, PurePosixPath(alike).parents))
    if both := known & folders:
        raise _refusal(f"{_shown(min(both))} is a file, and a folder of others")


def _check_name(name: str) -> None:
    path = PurePosixPath(name)
    if not _PLAIN_NAME.fullmatch(name) or len(name.encode()) > LONGEST_NAME:
        raise _refusal(f"a name in it is none for a file: {_shown(name)}")
    if path.is_absolute() or ".." in path.parts or str(path) != name.rstrip("/"):
        raise _refusal(f"a name in it leads out of its folder: {_shown(name)}")


def _check_kind(member: zipfile.ZipInfo) -> None:
    kind = stat.S_IFMT(member.external_attr >> 16)
    if kind not in (0, stat.S_IFREG):  # 0 where another system packed it
        raise _refusal(f"{_shown(member.filename)} is a link or another special file")
    if member.flag_bits & _ENCRYPTED:
        raise _refusal(f"{_shown(member.filename)} is encrypted")
    if member.compress_type not in PACKED_BY:
        raise _refusal(f"{_shown(member.filename)} is packed in an unusual way")
    if PurePosixPath(member.filename).name == SUBMISSION and member.file_size > LARGEST_FILE_BYTES:
        raise _refusal(f"its {SUBMISSION} is larger than {LARGEST_FILE_BYTES:,} bytes")


def _check_digests(files: Mapping[str, bytes]) -> None:
    """By what the submission declares, where it can be read so far; what else is wrong with it, later stages tell."""
    try:
        stated = json.loads(files[SUBMISSION])["declaration"]["files"]
        wanted = {str(each["name"]): each["sha256"] for each in stated}
    except (ValueError, KeyError, TypeError, RecursionError):
        raise _refusal("its submission does not state what else is in it") from None
    found = {name: sha256(content) for name, content in files.items() if name != SUBMISSION}
    for name in sorted({*wanted, *found}):
        if wanted.get(name) != found.get(name):
            word = "is another file than its submission states" if name in found else "is missing"
            word = word if name in wanted else "is not one of the files that its submission states"
            raise _refusal(f"{_shown(name)} {word}")


def _shown(name: str) -> str:
    return f"'{safe_text(name, 60)}'"


def _refusal(message: str) -> RefusedError:
    return RefusedError("bundle", message, "pack it anew: tito olympics submit --bundle")
