"""Profiles and tasks to rich renderables."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from tinytorch.benchmarking.records.work import Limits
from tinytorch.harness.cards import BaselineCard, TaskCard
from tinytorch.harness.profile import Profiled
from tinytorch.perf.profiling import Bottleneck, LayerProfile
from tinytorch.units import (
    format_count,
    format_metric,
    format_share,
    format_size,
    format_time,
    three_digits,
)
from tito.terminal.tables import Bar, Lines, table
from tito.views.light import light_words

BAR_COLUMNS = 6
NAME_COLUMNS = 20  # so much is left for names on a screen of 80
COLUMNS = ("layer", "time", "share", "FLOPs", "moved", "FLOP/B")


def profile_table(found: Profiled) -> RenderableType:
    """A line for each layer, with what it costs by itself, and what limits the model in a sentence."""
    model = found.model
    shown = table(f"{found.task}: {found.source}, one inference of one sample", *COLUMNS, right=True)
    longest_ns = max(layer.time_ns for layer in model.layers)
    for layer, name in zip(model.layers, _names(model.layers), strict=True):
        shown.add_row(name, *_costs(layer, model.sum_ns, longest_ns))
    shown.add_section()
    total = ("all layers", format_time(model.sum_ns), format_share(1), format_count(model.flops),
             format_size(model.moved_bytes), _intensity(model.flops, model.moved_bytes))  # fmt: skip
    shown.add_row(*total)
    whole = f"the whole model, timed without a look inside: {format_time(model.whole_ns)}, median of {model.passes}"
    light = [light_words(found.source, found.light)] if found.light else []
    machine = Text(_machine(found.limits), style="dim")
    return Group(shown, Text(f"\n{whole}", style="dim"), machine, Text(sentence(found.bottleneck, bool(light))), *light)


def tasks_table(cards: Sequence[TaskCard]) -> RenderableType:
    """A line for each task, and its strategies below."""
    shown = table("Tasks", "task", "what it is", "data", "baseline here")
    for card in cards:
        samples = f"{card.train_samples} + {card.test_samples}"
        shown.add_row(card.name, card.title, samples, Lines(*_baseline_lines(card.baseline)))
    explained = "data: samples to train and to test with; baseline: looked at just now, with one thread"
    return Group(shown, Text(f"\n{explained}\n", style="dim"), _strategies(cards))


def _baseline_lines(baseline: BaselineCard | None) -> tuple[str, ...]:
    if baseline is None:
        return ("not trained yet",)
    return (
        format_metric("accuracy", baseline.accuracy),
        format_size(baseline.kept_bytes),
        format_time(baseline.call_ns),
    )


def _strategies(cards: Sequence[TaskCard]) -> RenderableType:
    """Names of all tasks' strategies with their techniques, and what they cost."""
    shown = table("Reference strategies", "task", "--strategy", "techniques", "costs")
    for card in cards:
        for strategy in card.strategies:
            shown.add_row(card.name, strategy.name, ", ".join(strategy.techniques), strategy.costs)
        shown.add_section()
    return shown


def sentence(bottleneck: Bottleneck, is_light_told: bool = False) -> str:
    """What takes the time, what limits it, what would help, and the call for that.

    No share where that of light speed stands beside it.
    """
    call = f"\nin optimize: {bottleneck.call}" if bottleneck.call else ""
    return f"{_limits_words(bottleneck, is_light_told)}\ntry: {bottleneck.advice}{call}"


def _limits_words(bottleneck: Bottleneck, is_light_told: bool) -> str:
    layer = f" (the slowest, {bottleneck.layer}, {format_share(bottleneck.layer_share, 0)})" if bottleneck.layer else ""
    first = f"{bottleneck.kind} takes {format_share(bottleneck.share, 0)} of the time{layer}"
    if bottleneck.intensity is None or bottleneck.roofline_share is None:
        return f"{first}; what it does could not be counted."
    limit = "arithmetic" if bottleneck.bound == "compute" else "memory"
    side = "below" if bottleneck.intensity < bottleneck.balance else "above"
    counted = f"{three_digits(bottleneck.intensity)} FLOPs for each byte that it moves"
    balance = f"{side} this machine's balance of {three_digits(bottleneck.balance)}"
    share = format_share(bottleneck.roofline_share, 0)
    if bottleneck.bound == "calls":
        reached = "" if is_light_told else f": memory and arithmetic alone would need {share} of it"
        return f"{first}, with {counted}; calls take the time{reached}."
    reached = "" if is_light_told else f"; it reaches {share} of what {limit} allows"
    return f"{first}: {bottleneck.bound}-bound, with {counted}, {balance}{reached}."


def _machine(limits: Limits) -> str:
    bandwidth, speed = limits.memory_bandwidth_bytes_per_s, limits.flops_per_s
    seen = f"weights of this size are read at {format_size(bandwidth)}/s, {format_count(speed)}FLOP/s"
    return f"this machine, measured now in turns with the model, with one thread: {seen}"


def _names(layers: Sequence[LayerProfile]) -> Iterator[Text]:
    """Each name as seen from the layer that holds it, indented, with its kind where there is room."""
    above: list[str] = []
    for layer in layers:
        del above[layer.depth :]
        prefix = f"{above[-1]}." if above and above[-1] else ""
        short = layer.name.removeprefix(prefix) or layer.kind
        short = short.rpartition(".")[2] if short.rpartition(".")[2].isdigit() else short
        above.append(layer.name)
        text = " " * layer.depth + short
        has_room = layer.name and (len(text) + 1 + len(layer.kind) <= NAME_COLUMNS or short.isdigit())
        yield Text(text).append(f" {layer.kind}" if has_room else "", style="dim")


def _costs(layer: LayerProfile, sum_ns: float, longest_ns: float) -> tuple[RenderableType, ...]:
    if layer.in_plan:
        return (Text("in the plan", style="dim"), "", "-", "-", "-")
    bar = _bar(layer.time_ns / longest_ns, layer.time_ns / sum_ns) if sum_ns else Text("-")
    return (format_time(layer.time_ns), bar, format_count(layer.flops) if layer.flops else "-",
            format_size(layer.moved_bytes) if layer.moved_bytes else "-",
            _intensity(layer.flops, layer.moved_bytes))  # fmt: skip


def _bar(length: float, share: float) -> RenderableType:
    """A share of the time as a number, beside a bar that is full for the slowest layer."""
    cell = Table.grid(padding=(0, 1))
    cell.add_column(width=BAR_COLUMNS)
    cell.add_column(width=7, justify="right", no_wrap=True)
    cell.add_row(Bar(length, BAR_COLUMNS), format_share(share))
    return cell


def _intensity(flops: int, moved_bytes: int) -> str:
    return three_digits(flops / moved_bytes) if flops and moved_bytes else "-"
