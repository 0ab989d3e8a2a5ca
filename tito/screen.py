"""The two streams: data to stdout, talk and progress to stderr."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import typer
from rich.console import Console, RenderableType

from tito import workspace


def show(renderable: RenderableType) -> None:
    """Show data on stdout; a pipe gets the same text without colour."""
    Console(highlight=False, markup=False, emoji=False).print(renderable)


def say(message: str) -> None:
    """Talk to the person, on stderr."""
    typer.echo(message, err=True)


def put(content: str, output: str | None = None) -> str | None:
    """Write a document to `output` (`-` or None is stdout); the SHA-256 of a file that was written."""
    if output in (None, "-"):
        typer.echo(content)
        return None
    return workspace.write(Path(output), content.encode() + b"\n")


def put_json(document: dict[str, Any], output: str | None = None) -> str | None:
    """`put` for a JSON document."""
    return put(json.dumps(document, indent=2), output)
