"""`tito olympics init`: a first entry to change, and how to go on."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated

import typer

from tinytorch.errors import UsageError
from tinytorch.files import atomic_write
from tito import screen
from tito.course import CHECKOUT
from tito.options import Json

STARTER = Path(__file__).parents[1] / "starters" / "entry.py"
NOTEBOOK = CHECKOUT / "notebooks" / "capstone.ipynb"


def init(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Where to write it.")] = Path("entry.py"),
    json_: Json = False,
) -> None:
    """Write a first entry that works, to be changed, and name the next commands; a file that is there stays."""
    if file.exists():
        mend = f"change it, or choose another name: tito olympics init {shlex.quote(file.stem)}_2.py"
        raise UsageError(f"{file} is there already", mend=mend)
    try:
        atomic_write(file, STARTER.read_bytes())
    except OSError as error:
        mend = "name a file in a folder that is there and yours: tito olympics init FILE"
        raise UsageError(f"cannot write {file}: {error.strerror or error}", mend=mend) from error
    following = f"tito olympics benchmark --entry {shlex.quote(str(file))}"
    notebook = str(NOTEBOOK) if NOTEBOOK.is_file() else None
    if json_:
        screen.put_json({"file": str(file), "next": following, "notebook": notebook})
        return
    screen.put(f"{file} is a working entry: change what optimize() does")
    screen.say("where the time goes: tito olympics profile; what can be done: tito olympics techniques")
    if notebook:
        screen.say(f"the whole way as a notebook: {notebook}")
    screen.say(f"next: {following}")
