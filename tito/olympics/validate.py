"""`tito olympics validate`: every check of every file, by name."""

from __future__ import annotations

import json
import stat
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from tito.olympics.options import Json


def validate(
    files: Annotated[list[str], typer.Argument(metavar="FILE...", help="Submissions; - is stdin.")],
    json_: Json = False,
) -> None:
    """Check submissions: exit code 0 when all are valid, 1 when one is not."""
    from tito import render, screen

    results = [{"file": name, **check_file(name)} for name in files]
    if json_:
        screen.put(json.dumps({"results": results}, indent=2), None)
    else:
        from tinytorch.text import safe_text

        for result in results:
            word = f"valid, trust {result['trust']}" if result["valid"] else "NOT valid"
            screen.show(render.checks_table(f"{safe_text(result['file'])}: {word}", result["checks"]))
    raise typer.Exit(0 if all(result["valid"] for result in results) else 1)


def check_file(name: str) -> dict[str, Any]:
    """The verdict on one file; what cannot be read is a finding, never an error."""
    from tinytorch.competition.parsing import LARGEST_FILE_BYTES
    from tinytorch.competition.validation import validate_bytes

    most = LARGEST_FILE_BYTES + 1  # one more than allowed, so that the check of the size sees it

    try:
        content = sys.stdin.buffer.read(most) if name == "-" else _read_regular(Path(name), most)
    except (OSError, ValueError) as error:
        message = f"cannot be read: {error.strerror if isinstance(error, OSError) and error.strerror else error}"
        mend = "give the path of a submission.json"
        check = {"name": "file_readable", "passed": False, "severity": "error", "message": message, "mend": mend}
        return {"valid": False, "checks": [check], "issues": [message], "trust": None}
    verdict = validate_bytes(content)
    return {**verdict, "trust": json.loads(content)["trust"] if verdict["valid"] else None}


def _read_regular(path: Path, most: int) -> bytes:
    """The first `most` bytes of a file; ValueError for a directory, FIFO or device."""
    mode = path.stat().st_mode
    if not stat.S_ISREG(mode):
        raise ValueError("it is a directory" if stat.S_ISDIR(mode) else "it is not a regular file")
    with path.open("rb") as file:
        return file.read(most)
