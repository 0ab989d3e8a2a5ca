"""The course as data: twenty modules in both editions, what each builds on, where it lives, and its tests. Light."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from tinytorch.errors import UsageError
from tinytorch.files import reason
from tinytorch.showing import nearest
from tito.course.source import is_readable
from tito.place import IS_CHECKOUT, PACKAGE, SOURCE_TESTS

MODULE_TESTS = SOURCE_TESTS if IS_CHECKOUT else PACKAGE / "module_tests"  # where a wheel carries them


@dataclass(frozen=True)
class Module:
    """One module. `home` is the import path that a student's file stands in for.

    Two editions of the course number some modules differently, and call one by another name; `number` and `name` are
    those of the one that we follow. `needs` are names of modules that come first. `ours` are tests of our own
    implementation, below `tests/` in a checkout.
    """

    number: int
    name: str
    title: str
    home: str
    needs: tuple[str, ...]
    ours: tuple[str, ...]
    number_elsewhere: int | None = None
    name_elsewhere: str = ""

    @property
    def label(self) -> str:
        """`17 memoization`."""
        return f"{self.number:02} {self.name}"

    @property
    def file_name(self) -> str:
        """`17_memoization.py`, a student's file."""
        return f"{self.number:02}_{self.name}.py"

    @property
    def contract(self) -> Path:
        """The tests of what the course promises of this module, whoever wrote it."""
        return MODULE_TESTS / f"test_{self.number:02}_{self.name}.py"

    @property
    def starter(self) -> Path:
        """What a student begins with."""
        return PACKAGE / "course" / "starters" / f"{self.name}.py"

    @property
    def names(self) -> frozenset[str]:
        """What it is called, in either edition."""
        return frozenset({self.name, self.name_elsewhere or self.name})

    @property
    def also(self) -> str:
        """The other edition's number in words, empty where it is the same."""
        return f"{self.number_elsewhere:02} in the newer edition" if self.number_elsewhere else ""


def _core(number: int, name: str, title: str, needs: str, ours: str = "", elsewhere: int | None = None) -> Module:
    files = tuple(f"core/test_{each}.py" for each in (ours or name).split())
    return Module(number, name, title, f"tinytorch.core.{name}", tuple(needs.split()), files, elsewhere)


def _perf(number: int, name: str, title: str, needs: str, ours: str, elsewhere: int | None = None) -> Module:
    return Module(number, name, title, f"tinytorch.perf.{name}", tuple(needs.split()), tuple(ours.split()), elsewhere)


MODULES = (
    _core(1, "tensor", "Arrays that know their shape and their arithmetic", "", "tensor ops arraylike"),
    _core(2, "activations", "What bends between two layers", "tensor"),
    _core(3, "layers", "Linear, Dropout, and networks of them", "tensor activations", "layers model state"),
    _core(4, "losses", "How wrong an answer is, as one number", "tensor activations", "losses metrics"),
    _core(5, "autograd", "Gradients of whatever was computed", "tensor activations layers losses", "autograd graph", 6),
    _core(6, "optimizers", "Steps down a gradient: SGD, Adam, AdamW", "autograd", "", 7),
    _core(7, "training", "The loop: epochs, schedules, checkpoints", "losses optimizers", "training programs", 8),
    _core(8, "dataloader", "Datasets, batches, shuffling", "tensor", "", 5),
    replace(
        _core(9, "spatial", "Convolutions and pooling", "layers training dataloader"), name_elsewhere="convolutions"
    ),
    _core(10, "tokenization", "Text to numbers and back", "tensor"),
    _core(11, "embeddings", "Tokens and positions as vectors", "layers tokenization"),
    _core(12, "attention", "Every token looks at the others", "layers embeddings"),
    _core(13, "transformers", "Blocks of attention that write text", "attention training"),
    _perf(14, "profiling", "Where time and memory go", "layers training", "perf/profiling"),
    _perf(15, "quantization", "Weights in eight bits", "profiling", "perf/quantization"),
    _perf(16, "compression", "Pruning, low rank, distillation", "profiling", "perf/compression"),
    _perf(17, "memoization", "Keys and values that are kept: the KV cache", "transformers", "perf/test_memoization.py",
          18),
    _perf(18, "acceleration", "Fused, tiled, compiled", "profiling", "perf/acceleration", 17),
    _perf(19, "benchmarking", "Measuring so that it can be believed", "profiling", "benchmarking"),
    Module(20, "capstone", "The Torch Olympics", "tinytorch.olympics", ("quantization", "compression", "benchmarking"),
           ("test_capstone.py", "competition/rules/test_capstone_events.py")),
)  # fmt: skip

_NUMBER = re.compile(r"^\d+[-_ ]+")


def find_module(text: str) -> Module:
    """The module of that name or number (of the edition that we follow); UsageError with the nearest name."""
    wanted = text.strip().lower()
    bare = _bare(wanted)
    for module in MODULES:
        if bare in module.names or (wanted.isdecimal() and int(wanted) == module.number):
            return module
    names = [module.name for module in MODULES]
    mend = f"choose a number from 1 to {len(MODULES)}" if wanted.isdecimal() else nearest(bare, names)
    raise UsageError(f"there is no module {text!r}", mend=mend)


def missing_needs(module: Module, complete: Iterable[str]) -> list[Module]:
    """The modules that should be complete before this one, and are not."""
    return [each for each in MODULES if each.name in module.needs and each.name not in set(complete)]


def files_of(module: Module, folder: Path) -> list[Path]:
    """The module's files in a student's folder, that which was changed last first.

    Python and notebooks, whatever number stands before the name, in any case, with `-` or `_`; in the folder itself, or
    in one of the module's own: `02_activations/02_activations.ipynb`.
    """
    named = [path for path in entries(folder) if _bare(path.stem) in module.names]
    inside = [path for own in named if own.is_dir() for path in entries(own) if _bare(path.stem) in module.names]
    files = [path for path in (*named, *inside) if is_readable(path) and not path.is_dir()]
    return sorted(files, key=changed_ns, reverse=True)


def changed_ns(path: Path) -> int:
    """When what a file leads to was changed last."""
    return (path.stat() if path.exists() else path.lstat()).st_mtime_ns


def entries(folder: Path) -> list[Path]:
    """What lies in a folder, by name; nothing in one that is not there. UsageError where nobody may look."""
    try:
        return sorted(folder.iterdir()) if folder.exists() else []
    except OSError as error:
        mend = "give a folder that you may read, with --folder DIR"
        raise UsageError(f"cannot look into {folder}: {reason(error)}", mend=mend) from error


def alike(module: Module, folder: Path) -> list[Path]:
    """Files that may be meant for the module's, and are called otherwise."""
    signs = (module.name[:4], f"{module.number:02}")
    return [path for path in entries(folder) if not path.is_dir() and any(sign in path.name.lower() for sign in signs)]


def file_of(module: Module, folder: Path) -> Path | None:
    """The one of a module's files that was changed last."""
    return next(iter(files_of(module, folder)), None)


def way_to(folder: Path) -> Path:
    """From where to look for a student's folder: from here where it is there, else from above.

    Above it counts where one stands in it, or it has a file of any module.
    """
    here, above = Path.cwd(), [Path(*[".."] * steps) for steps in range(len(Path.cwd().parents) + 1)]

    def is_theirs(found: Path) -> bool:
        if not found.is_dir() or not os.access(found, os.R_OK | os.X_OK):
            return False
        return here.is_relative_to(found.resolve()) or any(file_of(module, found) for module in MODULES)

    if folder.exists():
        return Path()
    return next((way for way in above[1:] if is_theirs(way / folder)), Path())


def _bare(name: str) -> str:
    """A module's name without the number before it."""
    return _NUMBER.sub("", name.lower()).replace("-", "_").replace(" ", "_").removesuffix("_dev")
