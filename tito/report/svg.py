"""Figures of matplotlib as inline SVG: one element without foreign ids, styles or fonts, in the colours of the page."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any
from xml.etree import ElementTree

from markupsafe import Markup
from matplotlib import rc_context
from matplotlib.figure import Figure

INK, MUTED, ACCENT, FAINT = "#010101", "#020202", "#030303", "#040404"
COLOURS = {INK: "var(--ink)", MUTED: "var(--muted)", ACCENT: "var(--accent)", FAINT: "var(--faint)"}
"""What a figure draws with, and the page's own colour for it: that follows the reader's light or dark scheme."""

ElementTree.register_namespace("", "http://www.w3.org/2000/svg")
ElementTree.register_namespace("xlink", "http://www.w3.org/1999/xlink")
SETTINGS: dict[Any, Any] = {"svg.fonttype": "none", "svg.hashsalt": "tito", "path.simplify": False}
NO_TEXTS: Mapping[str, str] = MappingProxyType({})
NO_METADATA = dict.fromkeys(("Creator", "Date", "Format", "Type"))
DROPPED = {"metadata", "style"}
FONTS = {"font", "font-family", "font-size", "font-weight", "font-style"}  # the page's own
NOT_TURNED = "rotate(-0 "  # what matplotlib says of a text that lies as it should
GEOMETRY = {"d", "x", "y", "width", "height", "transform", "viewBox"}
_NUMBER = re.compile(r"-?\d+\.\d{2,}")


def drawn(figure: Figure, name: str, alt: str, kind: str = "plot", texts: Mapping[str, str] = NO_TEXTS) -> Markup:
    """The figure as an `<svg>` with a text for those who cannot see it; `name` makes its ids its own.

    `texts` replace marks in the figure: names of any alphabet, which matplotlib would want fonts and formulas for.
    """
    text = io.StringIO()
    with rc_context(SETTINGS):
        figure.savefig(text, format="svg", transparent=True, metadata=NO_METADATA)
    root = ElementTree.fromstring(text.getvalue())
    _clean(root, name)
    for element in root.iter():
        element.text = texts.get(element.text or "", element.text)
    view = {"viewBox": root.attrib["viewBox"], "class": kind, "role": "img", "aria-label": alt}
    root.attrib.clear()
    root.attrib.update(view)
    return Markup(ElementTree.tostring(root, encoding="unicode"))


def _clean(element: ElementTree.Element, name: str) -> None:
    """Drop what a page does not need, and keep styles as attributes: a strict policy forbids them otherwise."""
    element.attrib.update(_styles(element.attrib.pop("style", "")))
    for key, value in list(element.attrib.items()):
        element.attrib[key] = _attribute(key, value, name)
    if element.get("transform", "").startswith(NOT_TURNED):
        del element.attrib["transform"]
    element.text = (element.text or "").strip()
    for child in list(element):
        _clean(child, name)
        child.tail = None
        if child.tag.rpartition("}")[2] in DROPPED or _is_empty(child):
            element.remove(child)
    if element.tag.endswith("}g"):
        element.attrib.pop("id", None)


def _is_empty(element: ElementTree.Element) -> bool:
    """A group without anything in it, or a shape that nobody sees."""
    if element.tag.endswith(("}g", "}defs")):
        return not len(element)
    return element.get("fill") == "none" and "stroke" not in element.attrib


def _attribute(key: str, value: str, name: str) -> str:
    """With coordinates of a tenth of a pixel, the page's colours, and ids of our own."""
    if key in GEOMETRY:
        return _NUMBER.sub(lambda found: f"{float(found[0]):.1f}", " ".join(value.split()))
    if key == "id":
        return f"{name}-{value}"
    return f"#{name}-{value[1:]}" if key.endswith("}href") else COLOURS.get(value, value)


def _styles(style: str) -> Iterator[tuple[str, str]]:
    for part in filter(None, map(str.strip, style.split(";"))):
        key, _, value = part.partition(":")
        if key.strip() not in FONTS:
            yield key.strip(), value.strip()
