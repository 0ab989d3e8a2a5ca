"""`tito olympics rules`: what each event asks for, and the limits beyond which a submission is flagged."""

from __future__ import annotations

from typing import Annotated

import typer

from tinytorch.competition.names import parse_event
from tito.options import EVENTS, Json, RulesFile
from tito.terminal import screen


def rules(
    event: Annotated[str | None, typer.Argument(metavar="EVENT", help=f"One of {EVENTS} (default: all).")] = None,
    file: RulesFile = None,
    json_: Json = False,
) -> None:
    """Show the rules, of one event or all of them; with --rules those of a class, and what it has changed.

    A class's own file names its version and what it extends, then only what is different, such as:
    extends = "2.3"; version = "my class"; [significance] session_spread = 0.02.
    """
    from tinytorch.competition.checks.added import check_limits
    from tinytorch.competition.rules.events import read_rules

    found = read_rules(file)
    check_limits(found)
    chosen = parse_event(event, found.events) if event else None
    if json_:
        document = found.model_dump(mode="json")
        screen.put_json({"event": event, **document["events"][chosen]} if chosen else document)
        return
    from tito.views import rules as render_rules

    screen.show(render_rules.events(found, chosen))
    if chosen is None:
        screen.show(render_rules.limits(found))
    screen.say(f"rules {found.version}, sha256 {found.sha256[:16]}")
