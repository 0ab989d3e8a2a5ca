"""How a kind of layer is marked that is not the framework's alone: written by `core.kinds`, read where kinds count."""

from __future__ import annotations


def own(name: str) -> str:
    """A class or function of somebody's own."""
    return f"{name} (own)"


def with_its_own(kind: str, names: str) -> str:
    """A layer of ours that was given something."""
    return f"{kind} with its own {names}"


def is_own(kind: str) -> bool:
    """Whether a kind is marked in one of these ways."""
    return kind.endswith(own("")) or with_its_own("", "") in kind
