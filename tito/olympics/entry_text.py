"""The text of a first entry: what the reference strategy of an event does, as somebody would write it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from textwrap import fill
from typing import Any

from tinytorch.workloads.strategies import FUSION, Step, Strategy
from tinytorch.workloads.task import Task

COMPILE = (
    ["from tinytorch.perf.acceleration import compile_model, fastest_backend"],
    "compile_model(model, train_data.inputs[:1], fastest_backend())",
)
DISTILL = (
    ["from tinytorch.perf.compression import KnowledgeDistillation, prune_neurons"],
    "KnowledgeDistillation(model, prune_neurons(model, keep={keep})).train(train_data, epochs={epochs}).eval()",
)
LONGEST_ARGUMENTS = 85  # in one line with the call
WIDTH = 100
IDEAS = {
    "Structured Pruning": "keep fewer neurons until accuracy suffers; more epochs win some of it back",
    "Head and Neuron Pruning": "keep fewer heads, or fewer neurons, until answers suffer",
    "INT8 Quantization": "bits=4 halves it again; ranges='mse' looks for a better range",
    "INT4 Quantization": "bits=8 is twice that, and nearly exact",
    **{
        f"INT{bits} Quantization-Aware Training": "more bits keep more accuracy, and more epochs win some of it back"
        for bits in (2, 3, 4)
    },
    "Weight Sharing": "fewer clusters are smaller, and coarser",
    "KV Cache": "keys and values of earlier tokens are kept: memory for time",
    "INT8 KV Cache": "keys and values of earlier tokens are kept as int8: a quarter of the memory, for time",
    "Operator Fusion": "a plan of the model as it is now: leave it last",
}


def entry_text(task: Task, strategy: Strategy) -> str:
    """A Python file with `optimize`, commented, that runs as it stands."""
    parts = [_written(step) for step in strategy.steps]
    imports = imports_of(strategy.steps)
    names = ", ".join(f'"{name}"' for name in strategy.techniques)
    body = "\n".join(
        f"    # {IDEAS[step.technique]}\n    model = {call}"
        for step, (_, call) in zip(strategy.steps, parts, strict=True)
    )
    return f'''"""My entry for {strategy.name}, on {task.name}: {task.title}.

It does what the reference strategy does. Measure it:  tito olympics benchmark --entry entry.py --task {task.name}
"""

{imports}

TECHNIQUES = [{names}]  # name what you use
DIVISION = "closed"  # starts from the baseline's weights and keeps its kinds of layers; otherwise "open"


def optimize(model, train_data):
    """The model that competes, made from the trained baseline; train_data has .inputs and .labels."""
{body}
    return model
'''


def example_text(steps: Sequence[Step]) -> str:
    """The same steps as an entry that says nothing else."""
    calls = "\n".join(f"    model = {_written(step)[1]}" for step in steps)
    return f"{imports_of(steps)}\n\n\ndef optimize(model, train_data):\n{calls}\n    return model\n"


def call_names(steps: Sequence[Step]) -> list[str]:
    """The functions that the steps call."""
    return [_written(step)[1].partition("(")[0] for step in steps]


def imports_of(steps: Sequence[Step]) -> str:
    """What the calls of the steps need, a module a line."""
    names: dict[str, set[str]] = {}
    for line in (line for step in steps for line in _written(step)[0]):
        module, _, imported = line.removeprefix("from ").partition(" import ")
        names.setdefault(module, set()).update(imported.split(", "))
    return "\n".join(f"from {module} import {', '.join(sorted(found))}" for module, found in sorted(names.items()))


def _written(step: Step) -> tuple[list[str], str]:
    """The imports that a step needs, and its call."""
    if step == FUSION:
        return COMPILE
    if "function" not in step.arguments:
        return DISTILL[0], DISTILL[1].format(**step.arguments)
    addresses = [address for address in (step.arguments["function"], step.arguments["transforms"]) if address]
    imports = ["from {} import {}".format(*address.split(":")) for address in addresses]
    name = addresses[0].split(":")[1]
    given = ", ".join(["model", *_options(step)])
    is_long = len(given) > LONGEST_ARGUMENTS
    return imports, f"{name}(\n{_indented(given)}\n    )" if is_long else f"{name}({given})"


def _indented(arguments: str) -> str:
    return fill(arguments, WIDTH, initial_indent=" " * 8, subsequent_indent=" " * 8, break_long_words=False)


def _literal(value: Any) -> str:
    return f'"{value}"' if isinstance(value, str) else repr(value)


def _options(step: Step) -> Iterator[str]:
    yield from (f"{name}={_literal(value)}" for name, value in step.arguments["options"].items())
    if step.arguments["tuned"]:
        yield "train_data=train_data"
    if step.arguments["transforms"]:
        yield f"transforms={step.arguments['transforms'].split(':')[1]}"
