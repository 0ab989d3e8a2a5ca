"""The defaults of `optimize`: read and changed in the text of an entry, which is never run for that."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinytorch.errors import UsageError
from tinytorch.harness.arguments import arguments_of, with_defaults
from tinytorch.harness.contender import Contender
from tinytorch.workloads.strategies import BASELINE

ENTRY = '''"""Grüße."""
SIZE = 3

def optimize(model, train_data, keep=128, bits: int = 8,
             rate=1e-3, name="mse", exact=True, layers=(1, 2), seed=None, *, other=SIZE, last=-1):
    return model  # keep=128
'''.encode()


def test_plain_defaults_are_arguments_and_others_are_none() -> None:
    found = arguments_of(ENTRY, "entry.py")
    expected = {"keep": 128, "bits": 8, "rate": 1e-3, "name": "mse", "exact": True, "seed": None, "last": -1}

    assert {name: argument.default for name, argument in found.items()} == expected


def test_other_defaults_stand_in_their_places_and_the_rest_stays() -> None:
    text = with_defaults(ENTRY, "entry.py", {"keep": 64, "bits": 4, "last": 0.5, "name": "ä'\""}).decode()
    expected = ENTRY.decode().replace("keep=128,", "keep=64,").replace("int = 8", "int = 4").replace("-1)", "0.5)")

    assert text == expected.replace('"mse"', repr("ä'\""))


@given(st.one_of(st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.text(), st.booleans(), st.none()))
def test_whatever_value_it_is_the_text_has_it_as_default(value: object) -> None:
    changed = with_defaults(ENTRY, "entry.py", {"rate": value})

    assert arguments_of(changed, "entry.py")["rate"].default == value
    assert ast.dump(ast.parse(changed).body[0]) == ast.dump(ast.parse(ENTRY).body[0])


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [("keep", "64", 64), ("rate", "1", 1.0), ("rate", "0.5", 0.5), ("name", "8", "8"), ("exact", "false", False),
     ("seed", "3", 3), ("seed", "none", None)],
)  # fmt: skip
def test_a_value_is_of_its_default_s_type(name: str, text: str, value: object) -> None:
    found = arguments_of(ENTRY, "entry.py")[name].parsed(text)

    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize(("name", "text"), [("keep", "0.5"), ("keep", "many"), ("exact", "1"), ("rate", "True")])
def test_a_value_of_another_type_is_refused(name: str, text: str) -> None:
    with pytest.raises(UsageError, match=f"^{name} must be of type"):
        arguments_of(ENTRY, "entry.py")[name].parsed(text)


WITHOUT = [b"", b"def optimize(model, train_data): ...", b"def optimize(model=1, data=2): ...", b"x = (", b"\0"]


@pytest.mark.parametrize("source", WITHOUT)
def test_an_entry_without_arguments_is_told_how_to_have_some(source: bytes) -> None:
    with pytest.raises(UsageError, match=r"entry\.py"):
        arguments_of(source, "entry.py")


def test_a_name_that_is_not_there_is_refused() -> None:
    with pytest.raises(UsageError, match="no argument 'kep'"):
        with_defaults(ENTRY, "entry.py", {"kep": 1})


def test_a_contender_with_other_defaults_is_another_one(tmp_path: Path) -> None:
    (tmp_path / "entry.py").write_bytes(ENTRY)
    who = Contender.entry(tmp_path / "entry.py")
    other = who.with_defaults({"keep": 64})

    assert b"keep=64" in other.source
    assert other.sha256 != who.sha256
    with pytest.raises(UsageError, match="is told nothing"):
        Contender.reference(BASELINE).with_defaults({"keep": 64})


@pytest.mark.parametrize(("name", "text"), [("rate", "1e400"), ("keep", "9" * 30), ("seed", "-1e300")])
def test_a_number_that_is_too_large_is_refused(name: str, text: str) -> None:
    """A text with `inf` in it is another program, and a number of a thousand digits cannot be kept."""
    with pytest.raises(UsageError, match="too large a number"):
        arguments_of(ENTRY, "entry.py")[name].parsed(text)


@pytest.mark.parametrize("text", ["[1]", "b'x'", "{1}", "1+2j", "..."])
def test_only_plain_values_take_the_place_of_none(text: str) -> None:
    with pytest.raises(UsageError, match="must be of type"):
        arguments_of(ENTRY, "entry.py")["seed"].parsed(text)


@pytest.mark.parametrize("source", [b"\xef\xbb\xbf" + ENTRY, b"# coding: latin-1\n" + ENTRY.decode().encode("latin-1")])
def test_a_text_whose_bytes_are_counted_otherwise_is_refused(source: bytes) -> None:
    with pytest.raises(UsageError, match="another encoding than plain UTF-8"):
        arguments_of(source, "entry.py")
