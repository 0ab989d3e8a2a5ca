"""Records that we wrote for ourselves, read again: whoever had the folder meanwhile may have changed them."""

from __future__ import annotations

import json
from typing import TypeVar

from pydantic import ValidationError

from tinytorch.benchmarking.records.record import Record
from tinytorch.competition.record.document import schema_words
from tinytorch.competition.record.plain import decoded, read_json
from tinytorch.competition.record.reading import ForeignError, RefusedError
from tinytorch.errors import UsageError

Kept = TypeVar("Kept", bound=Record)


def parse_kept(record: type[Kept], what: str, name: str, content: bytes, mend: str) -> Kept:
    """The record in a file's content; UsageError that names the first thing wrong with it."""
    try:
        return record.model_validate_json(json.dumps(read_json(decoded(content))))
    except ForeignError as foreign:
        raise UsageError(f"{name} is {foreign.words}, and not {what}", mend=mend) from None
    except RefusedError as refusal:
        words = refusal.message
    except ValidationError as error:
        words = schema_words(error.errors(include_url=False, include_input=False, include_context=False)[0])
    raise UsageError(f"{name} is not {what}, or a damaged one: {words}", mend=mend)
