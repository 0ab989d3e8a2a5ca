"""The cached baseline: verified on load, trained again when damaged."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from tinytorch.core.layers import Linear, Sequential
from tinytorch.errors import SetupMissingError
from tinytorch.files import sha256
from tinytorch.workloads.cache import cache_key, cached_baseline, find_baseline
from tinytorch.workloads.models import load_model
from tinytorch.workloads.place import users_folder
from tinytorch.workloads.registry import find_task
from tinytorch.workloads.task import Recipe, Task

SMALL = dataclasses.replace(
    find_task("digits_mlp"),
    name="small",
    build_model=lambda seed: Sequential(Linear(64, 10)),
    recipe=Recipe(epochs=1, batch_size=256, learning_rate=1e-3, seed=0),
)


def test_the_second_load_is_the_first_baseline(tmp_path: Path) -> None:
    assert cached_baseline(SMALL, directory=tmp_path) == cached_baseline(SMALL, directory=tmp_path)


def test_the_artifact_holds_a_model(tmp_path: Path) -> None:
    assert isinstance(load_model(str(cached_baseline(SMALL, directory=tmp_path).path)), Sequential)


def test_a_damaged_file_is_trained_again_with_a_warning(tmp_path: Path) -> None:
    path = cached_baseline(SMALL, directory=tmp_path).path
    path.write_bytes(path.read_bytes()[:-1])
    warnings: list[str] = []
    again = cached_baseline(SMALL, warn=warnings.append, directory=tmp_path)

    assert again.path.read_bytes()
    assert "damaged" in warnings[0]


def test_an_interrupted_training_leaves_nothing_behind(tmp_path: Path) -> None:
    def interrupt(stage: str, share: float) -> None:
        if share > 0.5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        cached_baseline(SMALL, interrupt, directory=tmp_path)

    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
    assert cached_baseline(SMALL, directory=tmp_path).path.is_file()


def test_looking_for_a_baseline_trains_none_and_passes_a_damaged_one_over(tmp_path: Path) -> None:
    before = find_baseline(SMALL, tmp_path)
    trained = cached_baseline(SMALL, directory=tmp_path)
    found = find_baseline(SMALL, tmp_path)
    trained.path.write_bytes(b"damaged")

    assert (before, found, find_baseline(SMALL, tmp_path)) == (None, trained, None)


@pytest.mark.parametrize("change", [{"name": "other"}, {"version": 2}, {"dataset_sha256": "0" * 64}])
def test_the_key_changes_with_the_task(change: dict[str, object]) -> None:
    other: Task = dataclasses.replace(SMALL, **change)

    assert cache_key(other) != cache_key(SMALL)


def test_a_baseline_that_was_planted_while_foreign_code_ran_is_removed_with_a_warning(tmp_path: Path) -> None:
    cached, said = cached_baseline(SMALL, directory=tmp_path), list[str]()
    with cached.guarded(said.append):
        (cached.path.parent / f"{sha256(b'mine')}.pickle").write_bytes(b"mine")

    assert list(cached.path.parent.iterdir()) == [cached.path]
    assert len(said) == 1


def test_a_cache_that_was_left_alone_is_not_spoken_of(tmp_path: Path) -> None:
    said: list[str] = []
    with cached_baseline(SMALL, directory=tmp_path).guarded(said.append):
        pass

    assert said == []


def test_a_baseline_that_foreign_code_overwrote_is_put_back(tmp_path: Path) -> None:
    cached = cached_baseline(SMALL, directory=tmp_path)
    with cached.guarded(lambda message: None) as content:
        cached.path.write_bytes(b"spoiled")

    assert cached.path.read_bytes() == content


def test_without_a_home_the_variable_is_named_and_a_look_finds_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a container, whose user nobody knows."""

    def homeless(*_: object) -> Path:
        raise RuntimeError("could not determine the home directory")

    monkeypatch.setattr("platformdirs.user_cache_path", homeless)
    with pytest.raises(SetupMissingError) as caught:
        users_folder()

    assert "TITO_CACHE" in caught.value.mend
    assert find_baseline(SMALL) is None


def test_a_folder_that_cannot_be_made_names_the_variable(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SetupMissingError, match=r"cannot be kept in .*file") as caught:
        cached_baseline(find_task("digits_mlp"), directory=tmp_path / "file")

    assert "TITO_CACHE" in caught.value.mend


def test_somebody_without_a_home_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platformdirs.user_cache_path", lambda name: Path("~/.cache") / name)
    with pytest.raises(SetupMissingError, match="no home folder"):
        cached_baseline(SMALL)
