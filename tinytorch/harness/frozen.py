"""Files of a run's own: written once, read-only, and known by their digests."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tinytorch.errors import ModelError
from tinytorch.files import holds, sha256

MODULE_NAME = "olympics_entry"  # under which an artifact finds the classes of its entry again
BASELINE, ARTIFACT, ENTRY = "baseline.pickle", "optimized.pickle", f"{MODULE_NAME}.py"
TRAINING, INPUTS = "training.npz", "inputs.npy"  # with labels, and without
READ_ONLY_FILE, READ_ONLY_FOLDER = 0o444, 0o555


@dataclass(frozen=True)
class Frozen:
    """A folder and the digest of every file in it, by its path from there."""

    folder: Path
    digests: Mapping[str, str]

    @classmethod
    def of(cls, folder: Path, contents: Mapping[str, bytes]) -> Frozen:
        """Write the files to a new folder."""
        for name, content in contents.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("xb") as file:  # nothing that lies there is written through
                file.write(content)
            path.chmod(READ_ONLY_FILE)
        for parent in {(folder / name).parent for name in contents}:
            parent.chmod(READ_ONLY_FOLDER)
        return cls(folder, {name: sha256(content) for name, content in contents.items()})

    def path(self, name: str) -> Path:
        """Where the file is."""
        return self.folder / name

    def refuse_changes(self) -> None:
        """ModelError that names a file which is not what was written any more."""
        for name, digest in self.digests.items():
            if not holds(self.folder / name, digest):
                message = (
                    f"the run's own copy of {'the entry' if name == ENTRY else name} was changed while it was measured"
                )
                raise ModelError(message, mend="an entry must leave the files alone that it was loaded from")
