"""`submit --bundle`: one file with the submission, the entry, and what the entry names."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest

from tests.competition.conftest import make_run
from tinytorch.competition.record.bundle import unpacked
from tinytorch.competition.record.run import FileRecord, RunFile, SourceRecord
from tinytorch.files import sha256

FILES = {
    "mine.py": b"import tools\ndef optimize(model, train_data):\n    open('w.npy')\n    return model\n",
    "tools.py": b"LIMIT = 3\n",
    "w.npy": b"weights",
}  # fmt: skip
SUBMIT = ("submit", "--event", "latency_sprint", "--athlete", "Ada", "--run", "run.json", "--bundle")


@pytest.fixture
def measured(beginner: Path) -> Path:
    """A folder with an entry, and a run of it."""
    for name, content in FILES.items():
        Path(name).write_bytes(content)
    digests = {name: sha256(content) for name, content in FILES.items()}
    source = SourceRecord(
        kind="entry", name="mine.py", sha256=digests["mine.py"], division="closed", techniques=["nothing"],
        helpers=[FileRecord(name="tools.py", sha256=digests["tools.py"])],
        data=[FileRecord(name="w.npy", sha256=digests["w.npy"])],
    )  # fmt: skip
    Path("run.json").write_text(RunFile.text(make_run().model_copy(update={"source": source})))
    return beginner


def test_all_that_a_referee_needs_is_in_it(measured: Path, tito) -> None:
    done = tito(*SUBMIT)
    files = unpacked(Path("submission.zip").read_bytes())

    assert (done.code, {*files}) == (0, {"submission.json", "entry.py", "tools.py", "w.npy"})
    assert "packed:     the submission, entry.py, tools.py, w.npy" in done.err
    assert tito("validate", "submission.zip").code == 0


def test_its_times_and_modes_are_fixed(measured: Path, tito) -> None:
    tito(*SUBMIT)
    with zipfile.ZipFile(io.BytesIO(Path("submission.zip").read_bytes())) as bundle:
        assert {(each.date_time, each.external_attr >> 16) for each in bundle.infolist()} == {
            ((1980, 1, 1, 0, 0, 0), 0o100644)
        }


@pytest.mark.parametrize("name", FILES)
def test_what_was_changed_since_it_was_measured_is_not_packed(measured: Path, name: str, tito) -> None:
    Path(name).write_bytes(FILES[name] + b"# changed\n")
    done = tito(*SUBMIT)

    assert (done.code, f"{name} is changed since run" in done.err, "tito olympics benchmark" in done.err) == (
        2,
        True,
        True,
    )
    assert not Path("submission.zip").exists()


def test_nor_what_is_gone(measured: Path, tito) -> None:
    Path("w.npy").unlink()

    assert "w.npy is gone since run" in tito(*SUBMIT).err


def test_an_entry_that_lies_elsewhere_is_named(measured: Path, tito) -> None:
    Path("elsewhere").mkdir()
    for name in FILES:
        Path(name).rename(Path("elsewhere", name))

    assert "that run 20260301T120030Z-0a1b2c3d measured is not here" in tito(*SUBMIT).err
    assert tito(*SUBMIT, "--entry", "elsewhere/mine.py").code == 0


def test_a_strategy_s_bundle_has_the_submission_alone(beginner: Path, tito) -> None:
    Path("run.json").write_text(RunFile.text(make_run()))
    done = tito(*SUBMIT)

    assert (done.code, {*unpacked(Path("submission.zip").read_bytes())}) == (0, {"submission.json"})


@pytest.mark.parametrize(
    ("options", "words"),
    [(("--bundle", "-o", "-"), "a bundle is no text"), (("--entry", "mine.py"), "--entry says what comes along with")],
)
def test_a_wrong_call_says_what_is_wrong(measured: Path, options: tuple[str, ...], words: str, tito) -> None:
    done = tito(*SUBMIT[:-1], *options)

    assert (done.code, words in done.err) == (2, True)


def test_a_bundle_is_replaced_and_nothing_else(measured: Path, tito) -> None:
    assert [tito(*SUBMIT).code, tito(*SUBMIT).code] == [0, 0]
    Path("submission.zip").write_bytes(b"PK\x03\x04 of somebody's own")

    assert tito(*SUBMIT).code == 2
