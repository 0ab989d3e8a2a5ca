"""What is handed in to be verified: submissions with their entries, in folders, in bundles, or in two files."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from tinytorch.errors import UsageError
from tinytorch.owners import scratch
from tito.workspace.submissions import DEFAULT_FILE

if TYPE_CHECKING:
    from tinytorch.competition.rules.events import Rules
    from tinytorch.harness.referee.verify import Candidate

BUNDLE_END = ".zip"


class HandedIn(NamedTuple):
    """A submission or a bundle, by its name, and the entry where that was named."""

    path: Path
    entry: Path | None = None

    @property
    def name(self) -> str:
        """As it is shown: the folder, where the file in it has the usual name."""
        return str(self.path.parent if self.path.name == DEFAULT_FILE and self.path.parent.name else self.path)


def handed_in(names: Sequence[str], entry: Path | None) -> list[HandedIn]:
    """What the names stand for, each once, in their order; UsageError for one that stands for nothing."""
    found = list(dict.fromkeys(path for name in names for path in _found(Path(name))))
    if entry is None:
        return [HandedIn(path) for path in found]
    if len(found) != 1:
        mend = "name one of them: tito olympics verify submission.json --entry entry.py"
        raise UsageError(f"--entry belongs to one submission, and there are {len(found)}", mend=mend)
    if not entry.is_file():
        what = "is a folder, and an entry is one Python file" if entry.is_dir() else "is not there"
        raise UsageError(f"the entry {entry} {what}", mend="give the path of a Python file with --entry")
    return [HandedIn(found[0], entry)]


def without_entry(names: Sequence[str]) -> list[Path]:
    """Files in the folders that are named which may be submissions, but come with no entry: nobody can verify them."""
    folders = [Path(name) for name in names if Path(name).is_dir() and not _is_there(Path(name) / DEFAULT_FILE)]
    return sorted(path for folder in folders for path in folder.glob("*.json"))


def _found(path: Path) -> list[Path]:
    """A file itself; of a folder its submission, else its bundles and the submissions of the folders in it."""
    if path.suffix == ".py":
        mend = f"tito olympics verify submission.json --entry {shlex.quote(str(path))}"
        raise UsageError(f"{path} is an entry, and its submission is wanted, too", mend=mend)
    if _is_there(path) and not path.is_dir():
        return [path]
    if not path.is_dir():
        raise UsageError(f"there is no {path}", mend="name a submission, a bundle, or a folder with them")
    own = path / DEFAULT_FILE
    if _is_there(own):
        return [own]
    found = sorted(each for folder in (path, *_folders(path)) for each in _inside(folder))
    if not found:
        mend = "it needs bundles (*.zip), or folders with a submission.json and its entry in each"
        raise UsageError(f"there is no submission in {path}", mend=mend)
    return found


def _folders(path: Path) -> Iterator[Path]:
    return (each for each in path.iterdir() if each.is_dir() and not each.is_symlink())


def _inside(folder: Path) -> Iterator[Path]:
    own = folder / DEFAULT_FILE
    yield from [own] if _is_there(own) else []
    yield from folder.glob(f"*{BUNDLE_END}")


def _is_there(path: Path) -> bool:
    """Whether something has that name; also where we may not look, which is said when it is read."""
    try:
        return path.exists() or path.is_symlink()
    except OSError:
        return True


def _is_file(path: Path) -> bool:
    """Whether a file has that name, which may be none that a file can have."""
    try:
        return path.is_file()
    except OSError:
        return False


@contextmanager
def candidate(handed: HandedIn, rules: Rules) -> Iterator[Candidate]:
    """Judged, and with its entry where that can be built from: of a bundle unpacked into a folder that goes again."""
    from tinytorch.competition.ranking.judged import judge, unreadable
    from tinytorch.competition.record.bundle import ENTRY, SUBMISSION, read_files
    from tinytorch.competition.record.reading import RefusedError
    from tinytorch.harness.referee.verify import Candidate

    with scratch() as folder:
        try:
            files = read_files(handed.path)
        except RefusedError as refusal:
            yield Candidate(unreadable(handed.name, refusal), None, None)
            return
        for name, content in files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        judged, submission = judge(handed.name, files[SUBMISSION], rules)
        source = submission.run.source if submission else None
        where = folder if len(files) > 1 else handed.path.parent
        names = [Path(source.name).name, ENTRY] if source else [ENTRY]
        beside = next((where / name for name in names if _is_file(where / name)), None)
        yield Candidate(judged, submission, handed.entry or beside)
