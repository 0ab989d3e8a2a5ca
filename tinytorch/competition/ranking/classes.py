"""Classes of machines: the ratio of one entry differs from one to the other, so that they are not ranked together.

Machines are of one class when processor, cores and memory are the same, and a pair of models that is known showed
there what it showed on the others. A machine on which that pair did not repeat is of no class but its own.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from tinytorch.competition.checks.shift import Canary, Machine, Shift
from tinytorch.competition.checks.verified import Verification
from tinytorch.competition.rules.events import Rules
from tinytorch.competition.scoring.agreement import difference_p_value
from tinytorch.files import sha256
from tinytorch.showing import safe_text
from tinytorch.units import three_digits

Kind = tuple[str, int, int]


@dataclass(frozen=True, eq=False)
class Class:
    """Machines whose figures may be ranked together; `words` name it on a board."""

    kind: Kind
    shifts: tuple[Shift, ...]
    is_steady: bool = True

    @property
    def first(self) -> Canary | None:
        """What the others were compared with."""
        return next((canary for shift in self.shifts for canary in shift.canaries), None)

    @property
    def words(self) -> str:
        """The machine; where it was not steady, which shift it is."""
        cpu, cores, memory_gib = self.kind
        said = f"{safe_text(cpu)}, {cores} cores, {memory_gib} GB"
        return said if self.is_steady else f"{said}, not steady ({self.shifts[0].id})"


def classes_of(verifications: Iterable[Verification], shifts: Sequence[Shift], rules: Rules) -> dict[str, str]:
    """By the id of each verification that has figures, the words of the class of its machine.

    A machine made a record when its shift has the digest of just this one.
    """
    found = _classes(shifts, rules)
    made = {(id_, digest): each for each in found for shift in each.shifts for id_, digest in shift.records.items()}
    measured = [(each, kind) for each in verifications if (kind := _kind(each))]
    own = {
        each.id: _class_of(kind, made.get((each.id, sha256(each.text().encode()))), found) for each, kind in measured
    }
    words = _words([*found, *own.values()])
    return {id_: words[each] for id_, each in own.items()}


def words_of(shifts: Sequence[Shift], rules: Rules) -> dict[str, str]:
    """By the id of each shift, the words of the class of its machine."""
    found = _classes(shifts, rules)
    words = _words(found)
    return {shift.id: words[each] for each in found for shift in each.shifts}


def _words(found: Iterable[Class]) -> dict[Class, str]:
    """Of each class other words: of one make what the known pair showed there, and the id of a shift if need be."""
    classes = [*dict.fromkeys(found)]
    alike = Counter(each.words for each in classes if each.shifts)
    said = {each: each.words + (_pair_words(each) if each.shifts and alike[each.words] > 1 else "") for each in classes}
    twice = Counter(words for each, words in said.items() if each.shifts)
    return {each: f"{words} ({each.shifts[0].id})" if twice[words] > 1 else words for each, words in said.items()}


def _pair_words(one: Class) -> str:
    return f", known pair {three_digits(one.first.speedup.estimate)}x" if one.first and one.is_steady else ""


def is_steady(canaries: Sequence[Canary], comparisons: int, rules: Rules) -> bool:
    """Whether the pair showed all along a shift what it showed first.

    So many `comparisons` are made in all; together they err as seldom as the rules let one do (Bonferroni).
    """
    chance = rules.significance.alpha / max(1, comparisons)
    known = 2 * rules.significance.session_spread**2
    return all(difference_p_value(canaries[0].speedup, each.speedup, known) >= chance for each in canaries[1:])


def _class_of(kind: Kind, of_shift: Class | None, found: Sequence[Class]) -> Class:
    """What no shift tells of counts as the first class of its make."""
    if of_shift and of_shift.kind == kind:
        return of_shift
    return next((each for each in found if each.kind == kind and each.is_steady), Class(kind, ()))


def _classes(shifts: Sequence[Shift], rules: Rules) -> list[Class]:
    """The shift with most records founds a class, and whoever agrees with it joins; one machine agrees with itself.

    A shift is not steady either where the pair shows there what it did not show on the same machine before.
    """
    found: list[Class] = []
    shifts = sorted({shift.id: shift for shift in shifts}.values(), key=lambda shift: (-len(shift.records), shift.id))
    hosts = defaultdict[str, list[Canary]](list)
    for shift in shifts:
        hosts[shift.host] += shift.canaries
    first = {host: min(canaries, key=_when) for host, canaries in hosts.items() if canaries}
    comparisons = sum(map(len, hosts.values())) - len(first)
    for shift in shifts:
        own = sorted(shift.canaries, key=_when)
        if own and not is_steady([first[shift.host], *own], comparisons, rules):
            found.append(Class(shift.machine.kind, (shift,), False))
            continue
        for number, each in enumerate(found):
            if each.is_steady and each.kind == shift.machine.kind and _agree(each, shift, len(hosts) - 1, rules):
                found[number] = Class(each.kind, (*each.shifts, shift))
                break
        else:
            found.append(Class(shift.machine.kind, (shift,)))
    return found


def _when(canary: Canary) -> datetime:
    return canary.measured_at


def _agree(one: Class, shift: Shift, comparisons: int, rules: Rules) -> bool:
    """Two machines of one class differ by as much as the rules take for it; what was not measured does not differ."""
    if one.first is None or not shift.canaries or any(shift.host == each.host for each in one.shifts):
        return True
    known = 2 * rules.significance.session_spread**2 + rules.verifying.machine_spread**2
    chance = rules.significance.alpha / max(1, comparisons)
    return difference_p_value(one.first.speedup, shift.canaries[0].speedup, known) >= chance


def _kind(verification: Verification) -> Kind | None:
    info = verification.run.system_info if verification.run else None
    if info is None:
        return None
    return Machine(cpu_model=info.cpu_model, logical_cores=info.logical_cores, memory_bytes=info.memory_bytes).kind


def several(classes: Mapping[str, str]) -> bool:
    """Whether there is more than one."""
    return len({*classes.values()}) > 1
