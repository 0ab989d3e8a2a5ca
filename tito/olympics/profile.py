"""`tito olympics profile`: where the time of one inference goes, and what would help."""

from __future__ import annotations

import shlex

from tinytorch.harness.contender import BUILD_LIMIT_S
from tinytorch.workloads.registry import DEFAULT_TASK
from tito.options import Entry, Json, MemoryLimit, Strategy, Task, TimeLimit, task_option
from tito.terminal import screen


def profile(
    task: Task = DEFAULT_TASK,
    entry: Entry = None,
    strategy: Strategy = None,
    time_limit: TimeLimit = BUILD_LIMIT_S,
    memory_limit: MemoryLimit = None,
    json_: Json = False,
) -> None:
    """Show what each layer of a model costs, and what would help: of the baseline, a strategy or an entry."""
    from pydantic import TypeAdapter

    from tito.olympics import measuring
    from tito.views import profile as render_profile

    who = measuring.profiled(task, entry, strategy)
    found = measuring.profile(measuring.challenge(who, task, limit_s=time_limit, memory_mb=memory_limit))
    if json_:
        screen.put_json(TypeAdapter(type(found)).dump_python(found, mode="json"))
    else:
        screen.show(render_profile.profile_table(found))
        option = task_option(task)
        then = f"benchmark --entry {shlex.quote(str(entry))}" if entry else "init"
        screen.say(f"next: tito olympics {then}{option}")
