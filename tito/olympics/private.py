"""`tito olympics private`: data of a referee's own, which nobody who enters has seen."""

from __future__ import annotations

import secrets
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tinytorch.errors import UsageError
from tinytorch.files import atomic_write, reason
from tinytorch.units import format_share
from tito.options import Force, Json
from tito.terminal import screen

if TYPE_CHECKING:
    from tinytorch.workloads.task import Task


class Action(StrEnum):
    """What is done."""

    MAKE = "make"


class Data(StrEnum):
    """Data of which the public ones are a part."""

    FASHION = "fashion"
    WORDS = "words"
    DIGITS = "digits"


TASKS_OF = {
    Data.FASHION: ("fashion_mlp", "fashion_cnn"),
    Data.WORDS: ("words",),
    Data.DIGITS: ("digits_mlp", "digits_cnn"),
}


def private(
    action: Annotated[Action, typer.Argument(help="make: write a file.")],
    data: Annotated[
        Data, typer.Argument(help="Pictures for the tasks fashion_*, a text for words, or digits for digits_*.")
    ],
    source: Annotated[
        Path,
        typer.Option(
            "--from", metavar="SOURCE",
            help="The folder with Fashion-MNIST's four files as they are published, an English text, or an archive "
            "(.npz) of digits: images (N, 8, 8) in 0..16 and labels (N,).",
        ),
    ],
    output: Annotated[Path, typer.Option("--output", "-o", metavar="FILE", help="Where to write it.")],
    seed: Annotated[
        int | None, typer.Option("--seed", min=0, metavar="NUMBER", help="Of the changes to samples (default: secret).")
    ] = None,
    force: Force = False,
    json_: Json = False,
) -> None:  # fmt: skip
    """Make private data for a task, of samples that are not in the public data, and ask the baselines about them.

    Pictures are mirrored and moved by the seed, texts begin where it says. Keep the file to yourself.
    """
    _check(output, source, force)
    content = _made(data, source, secrets.randbits(64) if seed is None else seed)
    _check(output, source, force)  # once more: making took a while
    _write(output, content)
    rows = [_asked(name, output) for name in TASKS_OF[data]]
    if json_:
        screen.put_json({"file": str(output), "data": data, "tasks": rows})
        return
    screen.put(f"{output}: samples that are not in the public data")
    for row in rows:
        share = format_share(row["accuracy"])
        screen.put(f"{row['task']}: {share} of the baseline's {row['test_samples']:,} answers there are right")


def _made(data: Data, source: Path, seed: int) -> bytes:
    from tinytorch.core.archive import archive_of
    from tinytorch.datasets import making

    make = {
        Data.FASHION: making.private_fashion, Data.WORDS: making.private_words, Data.DIGITS: making.private_digits,
    }[data]  # fmt: skip
    return archive_of(make(source, seed))


def _check(output: Path, source: Path, force: bool) -> None:
    """UsageError where the file would take the place of something else; of another file only without `force`."""
    if not output.exists():
        return
    if not output.is_file() or (source.exists() and output.samefile(source)):
        raise UsageError(f"{output} is not to be replaced: it is no file, or the source", mend="choose another name")
    if not force:
        raise UsageError(f"{output} is there already", mend="choose another name, or replace it with --force")


def _write(path: Path, content: bytes) -> None:
    try:
        atomic_write(path, content)
    except OSError as error:
        raise UsageError(f"cannot write {path}: {reason(error)}", mend="name a file in a folder of yours") from error


def _asked(name: str, path: Path) -> dict[str, Any]:
    """What the baseline of a task has right there."""
    from threadpoolctl import threadpool_limits

    from tinytorch.core.metrics import accuracy
    from tinytorch.workloads.registry import find_task
    from tinytorch.workloads.task import baseline_of

    task: Task = find_task(name)
    _, test = task.private_data(path)
    with threadpool_limits(1, user_api="blas"):
        share = accuracy(baseline_of(task), test)
    return {"task": name, "test_samples": test.labels.size, "accuracy": share}
