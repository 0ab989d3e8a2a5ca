"""Classes of machines: the ratio of one entry differs from one to the other, so that they are not ranked together.

Machines are of one class when processor, cores and memory are the same, and a pair of models that is known showed
there what it showed on the others. A machine on which that pair did not repeat is of no class but its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from tinytorch.competition.checks.shift import Canary, Machine, Shift
from tinytorch.competition.checks.verified import Verification
from tinytorch.competition.rules.events import Rules
from tinytorch.competition.scoring.agreement import difference_p_value
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

    def words(self, is_alone: bool) -> str:
        """The machine, and where others have the same make, what the known pair showed there."""
        cpu, cores, memory_gib = self.kind
        said = f"{safe_text(cpu, 80)}, {cores} cores, {memory_gib} GB"
        if not is_alone and self.first:
            said += f", known pair {three_digits(self.first.speedup.estimate)}x"
        return said if self.is_steady else f"{said}, not steady ({self.shifts[0].id})"


def classes_of(verifications: Iterable[Verification], shifts: Sequence[Shift], rules: Rules) -> dict[str, str]:
    """By the id of each verification that has figures, the words of the class of its machine."""
    found = _classes(shifts, rules)
    by_record = {id_: each for each in found for shift in each.shifts for id_ in shift.records}
    measured = {each.id: _kind(each) for each in verifications if each.run}
    own = {id_: _class_of(kind, by_record.get(id_), found) for id_, kind in measured.items() if kind}
    makes = [each.kind for each in {*own.values()}]
    return {id_: each.words(makes.count(each.kind) == 1) for id_, each in own.items()}


def words_of(shifts: Sequence[Shift], rules: Rules) -> dict[str, str]:
    """By the id of each shift, the words of the class of its machine."""
    found = _classes(shifts, rules)
    makes = [each.kind for each in found]
    return {shift.id: each.words(makes.count(each.kind) == 1) for each in found for shift in each.shifts}


def is_steady(canaries: Sequence[Canary], comparisons: int, rules: Rules) -> bool:
    """Whether what the pair showed at one time it also showed at the next, all along a shift.

    So many `comparisons` are made in all; together they err as seldom as the rules let one do (Bonferroni).
    """
    chance = rules.significance.alpha / max(1, comparisons)
    known = 2 * rules.significance.session_spread**2
    return all(difference_p_value(one.speedup, two.speedup, known) >= chance for one, two in pairwise(canaries))


def _class_of(kind: Kind, of_shift: Class | None, found: Sequence[Class]) -> Class:
    """What no shift tells of counts as the first class of its make."""
    if of_shift and of_shift.kind == kind:
        return of_shift
    return next((each for each in found if each.kind == kind and each.is_steady), Class(kind, ()))


def _classes(shifts: Sequence[Shift], rules: Rules) -> list[Class]:
    """The shift with most records founds a class, and whoever agrees with it joins."""
    found: list[Class] = []
    comparisons = sum(max(0, len(shift.canaries) - 1) for shift in shifts)
    for shift in sorted(shifts, key=lambda shift: (-len(shift.records), shift.id)):
        if not is_steady(shift.canaries, comparisons, rules):
            found.append(Class(shift.machine.kind, (shift,), False))
            continue
        for number, each in enumerate(found):
            if each.is_steady and each.kind == shift.machine.kind and _agree(each, shift, len(shifts) - 1, rules):
                found[number] = Class(each.kind, (*each.shifts, shift))
                break
        else:
            found.append(Class(shift.machine.kind, (shift,)))
    return found


def _agree(one: Class, shift: Shift, comparisons: int, rules: Rules) -> bool:
    """Two machines of one class differ by as much as the rules take for it; what was not measured does not differ."""
    if one.first is None or not shift.canaries:
        return True
    known = 2 * rules.significance.session_spread**2 + rules.verifying.machine_spread**2
    return (
        difference_p_value(one.first.speedup, shift.canaries[0].speedup, known)
        >= rules.significance.alpha / comparisons
    )


def _kind(verification: Verification) -> Kind | None:
    info = verification.run.system_info if verification.run else None
    if info is None:
        return None
    return Machine(cpu_model=info.cpu_model, logical_cores=info.logical_cores, memory_bytes=info.memory_bytes).kind


def several(classes: Mapping[str, str]) -> bool:
    """Whether there is more than one."""
    return len({*classes.values()}) > 1
