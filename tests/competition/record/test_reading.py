"""The first stage of reading: the file itself."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tinytorch.competition.record.reading import LARGEST_FILE_BYTES, RefusedError, read_submission


def test_what_is_no_regular_file_is_refused_in_words(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.json")
    with pytest.raises(RefusedError, match="cannot be read: it is a pipe") as caught:
        read_submission(tmp_path / "pipe.json")

    assert caught.value.stage == "file"


def test_no_more_is_read_than_shows_that_it_is_too_much(tmp_path: Path) -> None:
    with (tmp_path / "huge.json").open("wb") as file:
        file.truncate(10**12)

    assert len(read_submission(tmp_path / "huge.json")) == LARGEST_FILE_BYTES + 1
