"""A page from its template: self-contained, with a policy under which it loads nothing."""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

FOLDER = Path(__file__).parent


def rendered(template: str, **values: Any) -> str:
    """The page of a template, with the style and the script of all pages."""
    style, script = ((FOLDER / name).read_text("utf-8") for name in ("page.css", "page.js"))
    environment = Environment(
        loader=FileSystemLoader(FOLDER), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    made_of = {"policy": _policy(style, script), "style": Markup(style), "script": Markup(script)}
    return environment.get_template(template).render(**made_of, **values)


def _policy(style: str, script: str) -> str:
    """Nothing is loaded, and only our own style and script count: whatever a name holds, it is text."""
    digests = [b64encode(sha256(each.encode()).digest()).decode() for each in (style, script)]
    return (
        f"default-src 'none'; style-src 'sha256-{digests[0]}'; script-src 'sha256-{digests[1]}'; "
        "base-uri 'none'; form-action 'none'"
    )
