"""A quick look at an entry: what it answers, keeps and does, beside the baseline; no time was taken."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from tinytorch.benchmarking.comparison import Comparison
from tinytorch.benchmarking.records.metrics import ModelRecord
from tinytorch.benchmarking.records.work import Work
from tinytorch.competition.record.run import Run
from tinytorch.showing import safe_text
from tinytorch.units import BYTES_PER_MEGABYTE, format_count, format_share, format_size, size_change_words, three_digits
from tito.terminal.tables import table
from tito.views.verdict import accuracy_words
from tito.workspace.sweeps import ROLES, WHOLE

NOT_COUNTED = "cannot be counted"
NOTHING_KEPT = "Nothing was timed, and this is no run: what is submitted is measured by tito olympics benchmark."
GOES_UNSEEN = "What a class of one's own computes is not counted: there are at least so many FLOPs and bytes."
NAMES = {
    "accuracy": "accuracy", "kept_bytes": "memory", "parameters": "parameters", "flops": "FLOPs of an inference",
    "weight_bytes": "bytes of weights read", "moved_bytes": "bytes moved",
}  # fmt: skip
ROWS: dict[str, Callable[[float], str]] = {
    "accuracy": format_share, "kept_bytes": format_size, "parameters": format_count, "flops": format_count,
    "weight_bytes": format_size, "moved_bytes": format_size,
}  # fmt: skip


def quick_table(found: Mapping[str, Any]) -> RenderableType:
    """Baseline, entry and ratio of each figure of a quick look's document, and the arguments that were given."""
    given = ", ".join(f"{name}={value!r}" for name, value in found["arguments"].items())
    told = safe_text(f"{found['task']}: {found['source']}{f' ({given})' if given else ''}, a quick look")
    shown = table(None, "", "baseline", "optimized", "", right=True)
    for name, written in ROWS.items():
        before, after = (found[role][name] for role in ROLES)
        words = [NOT_COUNTED if each is None else written(each) for each in (before, after)]
        shown.add_row(NAMES[name], *words, _change(name, before, after))
    is_whole = all(found[role][WHOLE] for role in ROLES)
    verdict = Text(_verdict(*(found[role] for role in ROLES)), "bold").append(f"\n{told}\n", "not bold dim")
    return Group(verdict, shown, *([] if is_whole else [Text(GOES_UNSEEN)]), Text(NOTHING_KEPT, style="dim"))


def _verdict(before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    """Size and accuracy in words; a difference of accuracies is not tested here."""
    sizes, shares = ([each[name] for each in (before, after)] for name in ("kept_bytes", "accuracy"))
    size = "memory not measured" if None in sizes else size_change_words(*sizes)
    known = None if None in shares else Comparison(estimate=shares[1] - shares[0])
    return f"{size}, {accuracy_words(known)}; no time was taken"


def quick_figures(record: ModelRecord) -> dict[str, float | bool | None]:
    """What a quick look says of a model, None for what cannot be counted; and whether its work was counted whole."""
    metrics, work = record.metrics, record.work
    return {
        "accuracy": metrics.accuracy.mean if metrics.accuracy else None,
        "kept_bytes": round(metrics.memory.mean * BYTES_PER_MEGABYTE) if metrics.memory else None,
        "parameters": record.parameters,
        "flops": work.flops if work else None,
        "weight_bytes": work.weight_bytes if work else None,
        "moved_bytes": work.moved_bytes if work else None,
        WHOLE: record.whole_work is not None,
    }


def work_of(figures: Mapping[str, Any]) -> Work | None:
    """The counted work among the figures of a model; None where it could not be counted, or not all of it."""
    counted = {name: figures[name] for name in Work.model_fields}
    return Work(**counted) if figures[WHOLE] and None not in counted.values() else None


def quick_document(run: Run, arguments: dict[str, Any]) -> dict[str, Any]:
    """For JSON."""
    return {
        "task": run.task.name, "source": run.source.name, "sha256": run.source.sha256, "arguments": arguments,
        "baseline": quick_figures(run.baseline), "optimized": quick_figures(run.optimized), "recorded": False,
    }  # fmt: skip


def _change(name: str, before: float | None, after: float | None) -> str:
    if before is None or after is None:
        return ""
    if name == "accuracy":
        return f"{100 * (after - before):+.1f} points"
    if not after or not before or before == after:
        return "the same" if before == after else ""
    return f"{three_digits(before / after)}x less" if before > after else f"{three_digits(after / before)}x more"
