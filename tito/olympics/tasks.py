"""`tito olympics tasks`: what can be solved, and what the baselines are like on this machine."""

from __future__ import annotations

from dataclasses import asdict

from tito.options import Json
from tito.terminal import screen


def tasks(json_: Json = False) -> None:
    """List the tasks with their data, strategies, and baselines: looked at now, where they are trained already."""
    from tito.olympics import measuring
    from tito.views import profile as render_profile

    cards = measuring.task_cards()
    if json_:
        screen.put_json({"tasks": [asdict(card) for card in cards]})
    else:
        screen.show(render_profile.tasks_table(cards))
