"""Checks of what a submission says of itself: its texts, its digest, its rules, its trust."""

from __future__ import annotations

from collections.abc import Iterator

from tinytorch.competition.checks.case import Case
from tinytorch.competition.checks.findings import Check, Outcome, check, failed, passed, unknown
from tinytorch.competition.record.declaration import is_repository
from tinytorch.competition.record.submission import Trust, trust_of
from tinytorch.competition.rules.changes import changes
from tinytorch.showing import is_safe, safe_text, some

MOST_PLACES = MOST_CHANGES = 5


@check
def known_event(case: Case) -> Outcome:
    event = case.declaration.event
    if event not in case.rules.events:
        return failed(f"the rules have no event {event}; they have {', '.join(case.rules.events)}")
    return passed("the rules have its event")


@check
def text(case: Case) -> Outcome:
    unsafe = [place for place, words in _texts(case.document) if not is_safe(words)]
    if unsafe:
        places = ", ".join(safe_text(place, 60) for place in unsafe[:MOST_PLACES])
        return failed(f"characters that cannot be shown in {places}", places=len(unsafe))
    return passed("every text is printable")


@check
def repository(case: Case) -> Outcome:
    address = case.declaration.repository
    if address is None:
        return unknown("no repository was given")
    if not is_repository(address):
        return failed(f"the repository is not a web address: {safe_text(address, 80)!r}")
    return passed("the repository is a web address")


@check
def digest(case: Case) -> Outcome:
    stated, found = case.submission.digest, case.content_sha256
    if stated != found:
        message = "the digest does not belong to this content: something was changed later"
        return failed(message, stated=stated, recomputed=found)
    return passed("the digest belongs to this content")


@check
def rules(case: Case) -> Outcome:
    stated, known = case.declaration.rules, case.rules
    if (stated.version, stated.sha256) == (known.version, known.sha256):
        return passed(f"made under rules {known.version}")
    shown = safe_text(stated.version, 40)
    return failed(
        f"made under rules {shown} ({stated.sha256[:8]}), judged anew from its samples by {known.version} "
        f"({known.sha256[:8]}){_changed(case)}",
        stated=shown, stated_sha256=stated.sha256, judged_by=known.version, judged_by_sha256=known.sha256,
    )  # fmt: skip


def _changed(case: Case) -> str:
    """Which rules are other ones now, where those it was made under are known."""
    found = changes(case.made_under, case.rules) if case.made_under else []
    return f": {some(found, MOST_CHANGES, '; ')}" if found else ""


@check
def trust(case: Case) -> Outcome:
    stated, earned = case.derived.trust, trust_of(case.baseline, case.optimized)
    if stated is not earned:
        message = f"trust is stated as {stated} ({stated.word}), the evidence is {earned} ({earned.word})"
        return failed(message, stated=stated.value, earned=earned.value)
    if earned is Trust.T0 and (case.run.protocol or case.run.system_info):
        return failed("numbers given by hand come with a protocol or a machine", "leave both null")
    return passed(f"{earned} ({earned.word})")


@check
def techniques(case: Case) -> Outcome:
    count = len(case.declaration.techniques)
    return passed(f"techniques named: {count}") if count else failed("no technique is named", techniques=0)


@check
def committed(case: Case) -> Outcome:
    found = case.declaration.provenance
    if found is None:
        return unknown("no commit is named: it is no entry, or was not packaged in a git repository")
    shown = f"packaged at commit {found.commit[:12]}"
    if found.is_dirty:
        return failed(f"{shown}, with changes that are not committed", commit=found.commit)
    return passed(shown, commit=found.commit)


def _texts(value: object, path: str = "") -> Iterator[tuple[str, str]]:
    """Every text in a document with its place; lists of numbers are passed by."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from _texts(inner, f"{path}.{key}" if path else key)
    elif isinstance(value, list | tuple) and value and not isinstance(value[0], int | float):
        for index, inner in enumerate(value):
            yield from _texts(inner, f"{path}.{index}")


CHECKS: tuple[Check[Case], ...] = (known_event, text, repository, digest, rules, trust, techniques, committed)
