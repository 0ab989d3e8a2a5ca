"""Floor 0: units, files, text and the error tree."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinytorch import errors, units
from tinytorch.errors import UsageError
from tinytorch.files import atomic_write, sha256
from tinytorch.showing import is_safe, nearest, safe_text


@pytest.mark.parametrize(
    ("nanoseconds", "shown"),
    [
        (5, "5.00 ns"),
        (1500, "1.50 us"),
        (1_250_000, "1.25 ms"),
        (2_000_000_000, "2.00 s"),
        (999, "999 ns"),
        (999.96, "1.00 us"),
        (0.000123, "0.000123 ns"),
    ],
)
def test_times_are_shown_in_the_unit_that_suits_them(nanoseconds: int, shown: str) -> None:
    assert units.format_time(nanoseconds) == shown


@pytest.mark.parametrize(("size", "shown"), [(12, "12 B"), (1500, "1.50 kB"), (12_898_600, "12.9 MB")])
def test_sizes_are_shown_in_the_unit_that_suits_them(size: int, shown: str) -> None:
    assert units.format_size(size) == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [(0.000123, "0.000123"), (0.09996, "0.100"), (0.9996, "1.00"), (9.996, "10.0"), (999.96, "1000"), (12345, "12345"),
     (-1.5, "-1.50"), (0, "0"), (float("nan"), "nan")],
)  # fmt: skip
def test_three_digits_are_three(value: float, shown: str) -> None:
    assert units.three_digits(value) == shown


@pytest.mark.parametrize(
    ("ratio", "words"),
    [(4.0, "4.00x smaller"), (0.25, "4.00x larger"), (1.0, "the same size"), (0.9999, "0.010 % larger")],
)
def test_a_size_is_smaller_larger_or_the_same(ratio: float, words: str) -> None:
    assert units.size_words(ratio) == words


def test_a_file_holds_the_old_content_when_writing_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "kept.json"
    path.write_bytes(b"old")

    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("tinytorch.files.os.fsync", full)
    with pytest.raises(OSError, match="No space"):
        atomic_write(path, b"new")

    assert (path.read_bytes(), [file.name for file in tmp_path.iterdir()]) == (b"old", ["kept.json"])


def test_sha256_is_the_standard_one() -> None:
    assert sha256(b"abc").startswith("ba7816bf8f01cfea")


@given(st.text())
def test_safe_text_is_always_safe_and_short(text: str) -> None:
    shown = safe_text(text, 50)

    assert is_safe(shown)
    assert len(shown) <= 50


@pytest.mark.parametrize("hostile", ["\x1b[31m", "\u202eabc", "a\x00b", "\ud800", "\u2066", "\uffff"])
def test_control_and_bidirectional_characters_become_escapes(hostile: str) -> None:
    assert not is_safe(hostile)
    assert "\\" in safe_text(hostile)


def test_the_nearest_choice_is_suggested() -> None:
    assert nearest("latency_sprnt", ["latency_sprint", "all_around"]) == "did you mean 'latency_sprint'?"


def test_every_error_is_drawn_in_the_tree() -> None:
    classes = [name for name, value in vars(errors).items() if isinstance(value, type)]

    assert all(name in (errors.__doc__ or "") for name in classes)


def test_pytest_is_as_talkative_as_it_is_asked_to_be(pytestconfig: pytest.Config) -> None:
    assert "-q" not in pytestconfig.getini("addopts")  # it would swallow a -v


def test_a_traceback_shows_what_mends_an_error() -> None:
    """Who works in Python sees no `mend` otherwise."""
    assert UsageError("wrong", mend="do this").__notes__ == ["to mend it: do this"]
    assert not hasattr(UsageError("wrong"), "__notes__")
