"""Somebody else's files are called what they are, and ours never are."""

from __future__ import annotations

import gzip
import io
import json
import pickle
import tarfile
import zipfile
from typing import Any

import numpy as np
import pytest

from tinytorch.competition.record.plain import decoded, read_json
from tinytorch.competition.rules.toml import read_toml
from tinytorch.foreign import foreign_document, foreign_file


def packed(kind: str) -> bytes:
    """A file as its own library writes it."""
    content = io.BytesIO()
    if kind in ("zip", "xlsx"):
        with zipfile.ZipFile(content, "w") as archive:
            archive.writestr(zipfile.ZipInfo("[Content_Types].xml" if kind == "xlsx" else "a.txt"), "a")
    elif kind == "tar":
        with tarfile.open(fileobj=content, mode="w") as archive:
            archive.addfile(tarfile.TarInfo("a.txt"))
    elif kind == "npy":
        np.save(content, np.ones(3))
    return content.getvalue()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"\x89PNG\r\n\x1a\n", "a picture (PNG)"),
        (gzip.compress(b"{}", mtime=0), "a file packed by gzip"),
        (packed("zip"), "a zip archive"),
        (packed("xlsx"), "an Office document, as of Excel"),
        (packed("tar"), "a tar archive"),
        (packed("npy"), "an array of numpy"),
        (pickle.dumps({}), "a pickle, as of a model's weights"),
        (b"\x02\0\0\0\0\0\0\0" + b"{}", "a model's weights (safetensors)"),
        ("{}".encode("utf-16"), "text in UTF-16, as PowerShell's > writes it"),
        (b"\n <!DOCTYPE html>", "a web page"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_file_is_called_what_its_first_bytes_say(content: bytes, words: str) -> None:
    found = foreign_file(content)

    assert found is not None
    assert found.words == words


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ({"results": [{"command": "ls", "mean": 1.0}]}, "an export of hyperfine"),
        ({"benchmarks": [{"runs": []}], "version": "1.0"}, "an export of pyperf"),
        ({"machine_info": {}, "benchmarks": []}, "an export of pytest-benchmark"),
        ({"context": {}, "benchmarks": []}, "an export of Google Benchmark"),
        ({"schema": "mlperf-edu-report/0.1"}, "a report of MLPerf EDU"),
        ({"nbformat": 4, "cells": []}, "a notebook"),
        ({"architectures": ["A"]}, "a model's configuration"),
    ],
)
def test_a_document_is_called_what_its_keys_say(document: dict[str, Any], words: str) -> None:
    found = foreign_document(document)

    assert found is not None
    assert found.words == words


@pytest.mark.parametrize("document", [{}, {"a": 1}, {"results": 3}, {"benchmarks": [3]}, {"results": []}])
def test_nothing_is_said_of_what_is_not_known(document: dict[str, Any]) -> None:
    assert foreign_document(document) is None
    assert foreign_file(json.dumps(document).encode()) is None


def test_a_document_with_a_field_of_ours_may_be_ours() -> None:
    assert foreign_document({"document": "report", "results": [{"command": "ls"}]}) is None


def test_nothing_that_can_be_read_is_called_foreign() -> None:
    """Whatever it begins with: the words are for what cannot be read."""
    assert read_json(decoded(b'{"run": {"a": 1}}')) == {"run": {"a": 1}}
    assert read_json(decoded(b" " * 8 + b'{"a": 1}')) == {"a": 1}
    assert read_toml(b"#! our class\n# <html\na = 1\n") == {"a": 1}
    assert read_toml(b'points= {"1x" = 0}') == {"points": {"1x": 0}}
