"""Options that several commands share, each written once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

WorkspaceFolder = Annotated[Path | None, typer.Option("--workspace", help="Where runs are kept (default: .tito).")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document on stdout.")]
Event = Annotated[str | None, typer.Option("--event", help="One of the five events, such as latency_sprint.")]
Seed = Annotated[int, typer.Option("--seed", min=0, max=2**31 - 1, help="Of the measuring order.")]
