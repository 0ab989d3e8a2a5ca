"""What `validate` found, as text for other programs: each format takes the same reports and gives its text in pieces.

Pieces, so that hundreds of reports need not be in memory at once. Every format is safe with any text in any report.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from tinytorch.competition.formats.document import as_json
from tinytorch.competition.formats.github import as_github
from tinytorch.competition.formats.gradescope import as_gradescope
from tinytorch.competition.formats.junit import as_junit
from tinytorch.competition.formats.markdown import as_markdown
from tinytorch.competition.ranking.judged import Judged

Format = Callable[[Iterable[Judged]], Iterator[str]]

FORMATS: dict[str, Format] = {
    "json": as_json,
    "junit": as_junit,
    "github": as_github,
    "gradescope": as_gradescope,
    "markdown": as_markdown,
}
