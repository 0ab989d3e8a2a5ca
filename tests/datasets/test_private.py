"""A referee's own data: made of what is not public, and refused when it is."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.datasets.test_idx import idx_of
from tinytorch.core.archive import archive_of
from tinytorch.datasets import making, words
from tinytorch.datasets.digits import public_digits
from tinytorch.datasets.fashion import FASHION_PATH, public_pictures, unpacked
from tinytorch.datasets.making import balanced, plain_words, private_fashion, private_words
from tinytorch.datasets.private import private_digits, private_pictures, private_prompts
from tinytorch.datasets.seen import letters_seen, pictures_seen
from tinytorch.datasets.words import Text, text_of
from tinytorch.errors import UsageError

PUBLIC = 30
OTHER_WORDS = "a few plain words that stand in no old book because a random generator puts them one behind another"


@pytest.fixture(scope="module")
def public() -> np.ndarray:
    """Some pictures as they are shipped, (N, 28, 28)."""
    return unpacked(public_pictures()[1][:PUBLIC])


def published(folder: Path, samples: int, public: np.ndarray) -> Path:
    """Files in the published form: random pictures, then some that are shipped."""
    generator = np.random.default_rng(2)
    for name in ("train", "t10k"):
        images = np.concatenate([generator.integers(0, 256, (samples, 28, 28), np.uint8), public * 17])
        (folder / f"{name}-images-idx3-ubyte").write_bytes(idx_of(images))
        labels = generator.integers(0, 10, samples + len(public), np.uint8)
        (folder / f"{name}-labels-idx1-ubyte").write_bytes(idx_of(labels))
    return folder


def some_text(count: int) -> str:
    return " ".join(np.random.default_rng(0).choice(OTHER_WORDS.split(), count))


@pytest.mark.parametrize("way", ["as it is", "in a mirror", "moved up and right", "moved down, in a mirror"])
def test_a_public_picture_is_known_however_it_was_altered(way: str, public: np.ndarray) -> None:
    changed = public[..., ::-1] if "mirror" in way else public
    frame = np.pad(changed, ((0, 0), (2, 2), (2, 2)))
    row, column = {"as it is": (2, 2), "in a mirror": (2, 2), "moved up and right": (4, 0)}.get(way, (0, 3))
    moved = frame[:, row : row + 28, column : column + 28]

    assert pictures_seen(making.packed(np.ascontiguousarray(moved))).all()


def test_other_pictures_are_not_known(public: np.ndarray) -> None:
    other = public.copy()
    other[:, 14, 14] ^= 1

    assert not pictures_seen(making.packed(other)).any()


def test_prompts_of_the_public_texts_are_known_and_others_are_not() -> None:
    """Wherever in the text they begin."""
    known = text_of("train")
    other = Text(plain_words(some_text(200)))

    assert letters_seen(known, known.starts[:2000]).all()
    assert not letters_seen(other, other.starts).any()


def test_what_is_shipped_is_left_out_of_private_pictures(tmp_path: Path, public: np.ndarray) -> None:
    arrays = private_fashion(published(tmp_path, 1_000, public), seed=1)

    assert {name: len(array) for name, array in arrays.items()} == dict.fromkeys(arrays, 1_000)
    assert {split: arrays[f"{split}_images"].shape for split in ("train", "test")} == dict.fromkeys(
        ("train", "test"), (1_000, 392)
    )


def test_what_is_shipped_is_left_out_of_private_texts(tmp_path: Path) -> None:
    old = "In the beginning God created the heaven and the earth. And the earth was without form, and void;"
    (tmp_path / "text").write_text(f"{some_text(3000)} {old} {some_text(3000)}")
    arrays = private_words(tmp_path / "text", seed=5)
    found = b" ".join(array.tobytes() for array in arrays.values())

    assert b"in the beginning god created" not in found
    assert len(found.split()) > 5_900


def test_another_seed_alters_and_cuts_otherwise(tmp_path: Path, public: np.ndarray) -> None:
    folder = published(tmp_path, 1_000, public)
    (tmp_path / "text").write_text(some_text(4_000))

    for make, source in ((private_fashion, folder), (private_words, tmp_path / "text")):
        first, again, other = (archive_of(make(source, seed)) for seed in (1, 1, 2))
        assert first == again != other


def test_too_little_that_is_new_is_refused(tmp_path: Path, public: np.ndarray) -> None:
    (tmp_path / "text").write_text(some_text(1_000))

    with pytest.raises(UsageError, match="only 999 pictures in each split are left"):
        private_fashion(published(tmp_path, 999, public), 0)
    with pytest.raises(UsageError, match="only 500 words for each of the two splits"):
        private_words(tmp_path / "text", 0)


def test_files_of_another_form_are_refused(tmp_path: Path, public: np.ndarray) -> None:
    published(tmp_path, 1_000, public)
    (tmp_path / "t10k-labels-idx1-ubyte").write_bytes(idx_of(np.full(1_000 + PUBLIC, 10, np.uint8)))

    with pytest.raises(UsageError, match=r"t10k-\* in .* are not 28x28 pictures of 10 classes"):
        private_fashion(tmp_path, 0)


def test_a_word_has_no_digits_and_no_other_signs() -> None:
    assert plain_words("Ge1:1 The lord's house, 3 cubits; 2nd & naïve").tobytes() == b"the lords house cubits na ve"


def test_a_balanced_draw_has_as_many_of_each_class() -> None:
    labels = np.random.default_rng(0).integers(0, 10, 500)
    chosen = balanced(labels, 100, np.random.default_rng(1))

    assert np.bincount(labels[chosen]).tolist() == [10] * 10
    assert (np.diff(chosen) > 0).all()


def test_what_was_made_is_read_as_both_splits(tmp_path: Path, public: np.ndarray) -> None:
    (tmp_path / "text").write_text(some_text(4_000))
    (tmp_path / "pictures.npz").write_bytes(archive_of(private_fashion(published(tmp_path, 1_000, public), 0)))
    (tmp_path / "words.npz").write_bytes(archive_of(private_words(tmp_path / "text", 0)))

    assert [split.inputs.shape for split in private_pictures(tmp_path / "pictures.npz")] == [(1_000, 784)] * 2
    assert private_prompts(tmp_path / "words.npz")[1].inputs.shape == (words.TEST_PROMPTS, words.LENGTH)


def test_public_data_are_refused_as_private(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="26,000 of its 26,000 pictures are in the public data"):
        private_pictures(FASHION_PATH)
    with pytest.raises(UsageError, match="prompts are in the public data"):
        private_prompts(words.WORDS_PATH)


PICTURE = {"test_images": np.zeros((2, 392), np.uint8), "test_labels": np.zeros(2, np.uint8)}
WHOLE = {**PICTURE, "train_images": PICTURE["test_images"], "train_labels": PICTURE["test_labels"]}


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (None, "No such file"),
        (b"nonsense", "no archive of arrays"),
        (archive_of({}), "no array train_images"),
        (archive_of(PICTURE), "no array train_images"),
        (archive_of(WHOLE | {"train_labels": np.zeros(3, np.uint8)}), "its train split has images"),
        (archive_of(WHOLE | {"train_labels": np.full(2, 10, np.uint8)}), "its train split has images"),
        (archive_of(WHOLE | {"train_images": np.zeros((2, 391), np.uint8)}), "its train split has images"),
        (archive_of(WHOLE | {"train_images": np.zeros((2, 392))}), "no array train_images of uint8"),
        (archive_of({"a": np.zeros(2**25)}), "no archive of arrays"),
    ],
)  # fmt: skip
def test_a_file_of_another_form_is_refused_as_pictures(tmp_path: Path, content: bytes | None, text: str) -> None:
    if content is not None:
        (tmp_path / "private.npz").write_bytes(content)
    with pytest.raises(UsageError, match=text):
        private_pictures(tmp_path / "private.npz")


@pytest.mark.parametrize("text", [b"Big Letters " * 99, b"short", b"", bytes(range(256))])
def test_a_text_of_another_form_is_refused_as_prompts(tmp_path: Path, text: bytes) -> None:
    array = np.frombuffer(text, np.uint8)
    (tmp_path / "private.npz").write_bytes(archive_of({"train": array, "test": array}))

    with pytest.raises(UsageError, match="its train text is not of small letters and spaces"):
        private_prompts(tmp_path / "private.npz")


@pytest.mark.parametrize("text", ["a" * 200_000, "1" * 200_000, "x1" * 100_000])
def test_a_text_without_spaces_is_read_in_no_time(text: str) -> None:
    """A pattern that goes back over every run of letters would take hours."""
    assert len(plain_words(text)) in (0, 200_000)


def test_a_binary_file_is_no_text(tmp_path: Path) -> None:
    (tmp_path / "text").write_bytes(b"words \0 words" * 1000)

    with pytest.raises(UsageError, match="is no text"):
        private_words(tmp_path / "text", 0)


def test_files_without_pictures_are_too_few(tmp_path: Path, public: np.ndarray) -> None:
    for name in ("train", "t10k"):
        (tmp_path / f"{name}-images-idx3-ubyte").write_bytes(idx_of(np.zeros((0, 28, 28), np.uint8)))
        (tmp_path / f"{name}-labels-idx1-ubyte").write_bytes(idx_of(np.zeros(0, np.uint8)))

    with pytest.raises(UsageError, match="only 0 pictures"):
        private_fashion(tmp_path, 0)


def test_private_digits_are_what_is_not_public(tmp_path: Path) -> None:
    own = np.random.default_rng(4).integers(0, 17, (150, 8, 8), np.uint8)
    path = tmp_path / "export.npz"
    np.savez(path, images=np.concatenate([own, public_digits()[:9]]).astype(float), labels=np.arange(159) % 10)
    made = making.private_digits(path, 1)
    (tmp_path / "made.npz").write_bytes(archive_of(made))
    _, test = private_digits(tmp_path / "made.npz")

    assert (len(made["labels"]), test.inputs.shape, float(test.inputs.max())) == (150, (150, 64), 1.0)


@pytest.mark.parametrize(
    ("arrays", "words"),
    [
        ({"images": np.zeros((3, 8, 8))}, "the arrays images and labels"),
        ({"images": np.zeros((3, 64)), "labels": np.zeros(3)}, "are wanted"),
        ({"images": np.full((3, 8, 8), 255), "labels": np.zeros(3)}, "are wanted"),
        ({"images": np.full((3, 8, 8), np.nan), "labels": np.zeros(3)}, "are wanted"),
        ({"images": np.zeros((3, 8, 8)), "labels": np.full(3, 11)}, "are wanted"),
        ({"images": np.zeros((3, 8, 8)), "labels": np.zeros(3)}, "only 1 digits|at least 100"),
    ],
)
def test_an_archive_of_no_digits_is_refused(arrays: dict, words: str, tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", **arrays)
    with pytest.raises(UsageError, match=words):
        making.private_digits(tmp_path / "x.npz", 0)
