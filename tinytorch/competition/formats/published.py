"""Documents that other programs read: their forms are published by `tito olympics schema`."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict


class Published(BaseModel):
    """Base of every part of a published document."""

    model_config = ConfigDict(extra="forbid", strict=True, defer_build=True)


class PublishedReport(Published):
    """A whole document, which says in its first line what it is."""

    document: Literal["report"] = "report"
