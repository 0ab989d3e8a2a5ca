"""`tito olympics cheats`: the entries that cheat, and what each level of trust says of them."""

from __future__ import annotations

from typing import Annotated

import typer

from tito.options import Json
from tito.terminal import screen


def cheats(
    name: Annotated[
        str | None, typer.Argument(metavar="NAME", help="Show this one's source, by its name or number.")
    ] = None,
    json_: Json = False,
) -> None:
    """List entries that cheat, what each tries, and what trust T1, T2 and T3 said of it when it was tried.

    They are there to be tried and to be learnt from: copy one, benchmark it, and see what finds it.
    Examples: tito olympics cheats; tito olympics cheats looks_who_calls.
    """
    from tinytorch.harness.cheats.catalogue import cheats as every
    from tinytorch.harness.cheats.catalogue import find_cheat
    from tito.views import cheats as render

    if name is not None:
        found = find_cheat(name)
        if json_:
            screen.put_json(render.document([found], with_source=True))
        else:
            screen.put(found.path.read_text("utf-8").rstrip("\n"))
            screen.say(render.words_of(found))
        return
    listed = list(every().values())
    if json_:
        screen.put_json(render.document(listed))
    else:
        screen.show(render.table_of(listed))
