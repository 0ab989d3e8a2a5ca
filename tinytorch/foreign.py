"""What a file is that is none of ours: told by its first bytes, or by the keys of its JSON document.

Only for the words of a refusal: what can be read is read, whatever it begins with.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

Document = dict[str, Any]

UNPACK = "unpack it first, and give what was in it"
HAND_IN_THE_FILE = "give the file itself: a platform shows this page to whoever is not logged in"
LOAD = "weights are what an entry loads: tito olympics benchmark --entry FILE measures it"
MEASURE = "it has no pairs of two models' times, no answers and no sizes: tito olympics benchmark measures them"
SAVE_AS = "a table is wanted as text: File, Save as, CSV UTF-8"
UTF_8 = "write it with -o FILE instead of >, or save it as UTF-8 without BOM"
AS_SCRIPT = "run it, and give the file that it wrote"
FIELDS_OF_OURS = {
    "document",
    "schema_version",
    "declaration",
    "run",
    "derived",
    "digest",
    "normalized_scores",
    "athlete_name",
}
TAR_PLACE = 257
LONGEST_BEGINNING = 100  # bytes, with blank lines before


class Foreign(NamedTuple):
    """Somebody else's file: what it is, and what to do."""

    words: str
    mend: str = ""


_BEGINNINGS = (
    (b"\x89PNG\r\n", Foreign("a picture (PNG)")),
    (b"\xff\xd8\xff", Foreign("a picture (JPEG)")),
    (b"GIF8", Foreign("a picture (GIF)")),
    (b"%PDF-", Foreign("a PDF document")),
    (b"\x1f\x8b", Foreign("a file packed by gzip", UNPACK)),
    (b"BZh", Foreign("a file packed by bzip2", UNPACK)),
    (b"\xfd7zXZ\x00", Foreign("a file packed by xz", UNPACK)),
    (b"\x28\xb5\x2f\xfd", Foreign("a file packed by zstd", UNPACK)),
    (b"7z\xbc\xaf\x27\x1c", Foreign("a 7-Zip archive", UNPACK)),
    (b"Rar!", Foreign("a RAR archive", UNPACK)),
    (b"\xd0\xcf\x11\xe0", Foreign("an Office document of the old kind", SAVE_AS)),
    (b"PK\x03\x04", Foreign("a zip archive", UNPACK)),
    (b"\x93NUMPY", Foreign("an array of numpy", LOAD)),
    (b"\x89HDF", Foreign("a model's weights (HDF5)", LOAD)),
    (b"GGUF", Foreign("a model's weights (GGUF)", LOAD)),
    *((bytes([0x80, version]), Foreign("a pickle, as of a model's weights", LOAD)) for version in range(2, 6)),
    (b"SQLite format 3\x00", Foreign("a database (SQLite)")),
    (b"\x7fELF", Foreign("a program")),
    (b"\xff\xfe", Foreign("text in UTF-16, as PowerShell's > writes it", UTF_8)),
    (b"\xfe\xff", Foreign("text in UTF-16", UTF_8)),
)
_TEXTS = (
    (b"<!doctype html", Foreign("a web page", HAND_IN_THE_FILE)),
    (b"<html", Foreign("a web page", HAND_IN_THE_FILE)),
    (b"<?xml", Foreign("an XML document")),
    (b"#!", Foreign("a script", AS_SCRIPT)),
)


def foreign_file(content: bytes) -> Foreign | None:
    """What a file is by its first bytes; None where that is not known, as of every JSON document."""
    if content.startswith(b"PK\x03\x04") and (inside := foreign_archive([_first_name(content)])):
        return inside
    for beginning, found in _BEGINNINGS:
        if content.startswith(beginning):
            return found
    if content[4:9] == b"\0\0\0\0{":  # the length of that header, and its beginning
        return Foreign("a model's weights (safetensors)", LOAD)
    if content[TAR_PLACE:].startswith(b"ustar"):
        return Foreign("a tar archive", UNPACK)
    start = content[:LONGEST_BEGINNING].lstrip().lower()
    return next((found for beginning, found in _TEXTS if start.startswith(beginning)), None)


def foreign_archive(names: Iterable[str]) -> Foreign | None:
    """What a zip archive is by the names of its files; None where that is not known."""
    inside = [name.rpartition("/")[2] for name in names]
    if inside and all(name.endswith(".npy") for name in inside):
        return Foreign("a file of numpy arrays (npz), as of a model's weights", LOAD)
    if "data.pkl" in inside:
        return Foreign("a model's weights (PyTorch)", LOAD)
    return Foreign("an Office document, as of Excel", SAVE_AS) if "[Content_Types].xml" in inside else None


def _first_name(archive: bytes) -> str:
    """The name of the first file in a zip archive, which stands 30 bytes from its beginning."""
    length = int.from_bytes(archive[26:28], "little")
    return archive[30 : 30 + length].decode("utf-8", "replace")


def foreign_document(document: Document) -> Foreign | None:
    """What a JSON document is by its keys; None where that is not known, or where it may be ours."""
    if FIELDS_OF_OURS & document.keys():
        return None
    return next((found for is_one, found in _DOCUMENTS if is_one(document)), None)


def _first(document: Document, key: str) -> Document:
    """The first object in the list of that name; empty where there is none."""
    inside = document.get(key)
    first = inside[0] if isinstance(inside, list) and inside else None
    return first if isinstance(first, dict) else {}


_DOCUMENTS: tuple[tuple[Callable[[Document], bool], Foreign], ...] = (
    (lambda found: "command" in _first(found, "results"), Foreign("an export of hyperfine", MEASURE)),
    (lambda found: {"machine_info", "benchmarks"} <= found.keys(), Foreign("an export of pytest-benchmark", MEASURE)),
    (lambda found: "runs" in _first(found, "benchmarks"), Foreign("an export of pyperf", MEASURE)),
    (lambda found: {"context", "benchmarks"} <= found.keys(), Foreign("an export of Google Benchmark", MEASURE)),
    (lambda found: str(found.get("schema")).startswith("mlperf-edu"), Foreign("a report of MLPerf EDU", MEASURE)),
    (lambda found: "nbformat" in found, Foreign("a notebook", AS_SCRIPT)),
    (lambda found: "model_type" in found or "architectures" in found, Foreign("a model's configuration", LOAD)),
    (lambda found: "state_dict" in found or "weights" in found, Foreign("a model's weights (JSON)", LOAD)),
)  # fmt: skip
