"""Markdown for a pull request or a job summary; whatever comes from a file stands in a code span, where it is inert."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from tinytorch.competition.checks.findings import Finding
from tinytorch.competition.ranking.judged import Judged
from tinytorch.competition.record.kinds import HEADLINE
from tinytorch.showing import safe_text

LONGEST_TEXT = 1_000
WORDS = {True: "passed", None: "could not check"}


def as_markdown(reports: Iterable[Judged]) -> Iterator[str]:
    """A section per file with what failed and what could not be checked, then a line that counts."""
    files = valid = 0
    yield f"# {HEADLINE}submissions checked\n"
    for report in reports:
        files, valid = files + 1, valid + report.valid
        yield f"\n## {'valid' if report.valid else 'NOT valid'}: {code_span(report.source)}\n\n"
        if report.valid:
            yield f"Trust {report.trust}. "
        yield f"{report.passed} checks passed.\n"
        yield "".join(["\n", *map(_item, report.notes)]) if report.notes else ""
    yield f"\n{valid} of {files} submissions are valid.\n"


def _item(finding: Finding) -> str:
    word = finding.severity if finding.passed is False else WORDS[finding.passed]
    mend = f"  \n  to mend it: {code_span(finding.mend)}" if finding.mend else ""
    return f"- **{word}** {code_span(f'{finding.id} {finding.name}')}: {code_span(finding.message)}{mend}\n"


def code_span(text: str) -> str:
    """Text in a code span on one line, fenced by more backticks than it has in a row (CommonMark 6.1)."""
    shown = safe_text(text, LONGEST_TEXT)
    fence = "`" * (1 + max(map(len, re.findall("`+", shown)), default=0))
    pad = " " if shown[:1] in ("`", " ", "") or shown.endswith(("`", " ")) else ""
    return f"{fence}{pad}{shown}{pad}{fence}"
