"""Whether the shards of a class belong together and are all there, in sentences; empty where nothing is wrong."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from tinytorch.competition.checks.shift import Part, Shift
from tinytorch.competition.checks.verified import Verification
from tinytorch.showing import safe_text, some

MOST_NAMED = 5
APART = "use the same on all machines, and for what is other another -o"
HOW = {
    "level": "the level that is asked for", "private": "the private data", "isolation": "the box", "tier": "the tier",
    "build_limit_s": "the time limit", "memory_limit_bytes": "the memory limit", "rules_sha256": "the rules",
}  # fmt: skip
ALIKE: dict[str, Callable[[Shift], Any]] = {
    **{words: lambda shift, name=name: getattr(shift.how, name) for name, words in HOW.items()},  # type: ignore[misc]
    "the version of the tool": lambda shift: (shift.tool.version, shift.code_sha256),
}


def wrong(shifts: Sequence[Shift], records: Mapping[str, Verification], digests: Mapping[str, str]) -> list[str]:
    """Everything that keeps shards from being one class; `digests` are of the records' files, by their ids."""
    if not shifts:
        return ["there is no record of a shift: verify with --shard I/N first"]
    found = list(_differing(_whole(shifts), shifts))
    if found:  # what is missing cannot be told of two classes
        return found
    return [*missing(shifts, records), *_changed(shifts, digests), *_other_data(records)]


def missing(shifts: Sequence[Shift], records: Mapping[str, Verification]) -> list[str]:
    """What no machine has done to its end, by the shard that it belongs to."""
    return list(_missing(_whole(shifts), records))


def _whole(shifts: Sequence[Shift]) -> Shift:
    """The shift that saw most entries."""
    return max(shifts, key=lambda shift: (len(shift.works), shift.id))


def _differing(whole: Shift, shifts: Sequence[Shift]) -> Iterator[str]:
    """Beside the shift that saw most entries: the others may have been before some of these were handed in."""
    for words, value in ALIKE.items():
        if others := [_named(each) for each in shifts if value(each) != value(whole)]:
            yield f"{words} of {some(others, MOST_NAMED)}: not as of {_named(whole)}; {APART}"
            return
    works = {*whole.works}
    if others := [_named(each) for each in shifts if not works.issuperset(each.works)]:
        yield f"{some(others, MOST_NAMED)} had entries that {_named(whole)} had not: give all machines the same"


def _missing(shift: Shift, records: Mapping[str, Verification]) -> Iterator[str]:
    lacking = {each for each in shift.works if each not in records or not records[each].is_finished}
    count, works = Part.parsed(shift.part).count if shift.part else 1, sorted(shift.works)
    for number in range(min(count, len(works))):
        part, own = Part(number, count), works[number::count]
        if lost := [each for each in own if each in lacking]:
            again = f"--shard {part.words} --tier {safe_text(shift.how.tier, 20)} --level {shift.how.level.lower()}"
            yield f"shard {part.words}: {len(lost)} of {len(own)} records are missing; verify there again with {again}"


def _changed(shifts: Sequence[Shift], digests: Mapping[str, str]) -> Iterator[str]:
    """A record that is not the one that a machine wrote: each may be of several, where it was done again."""
    written: dict[str, set[str]] = defaultdict(set)
    for shift in shifts:
        for id_, digest in shift.records.items():
            written[id_].add(digest)
    unknown = [id_ for id_ in sorted(digests) if id_ not in written]
    if unknown:
        said = "no machine has written down that it made this"
        yield f"{some(unknown, MOST_NAMED)}: {said}; verify with --again {unknown[0]}"
    changed = [id_ for id_, digest in sorted(digests.items()) if id_ in written and digest not in written[id_]]
    if changed:
        said = "the file is not the one that a machine wrote"
        yield f"{some(changed, MOST_NAMED)}: {said}; verify with --again {changed[0]}"


def _other_data(records: Mapping[str, Verification]) -> Iterator[str]:
    """Of each task the digest of its data that re-runs were made with."""
    data: dict[str, set[str]] = defaultdict(set)
    for each in records.values():
        if each.run and each.run.task:
            data[each.run.task.name].add(each.run.task.dataset_sha256)
    for name, digests in sorted(data.items()):
        if len(digests) > 1:
            yield f"the data of {safe_text(name, 60)} were not the same on all machines"


def _named(shift: Shift) -> str:
    return f"shard {shift.part} ({shift.id})" if shift.part else f"shift {shift.id}"
