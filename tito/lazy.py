"""Commands that are imported when they are run, so that `--help` and light commands start at once."""

from __future__ import annotations

from collections.abc import Mapping
from pkgutil import resolve_name
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command

from tito.commands import Command


class LazyCommand(TyperCommand):
    """Stands in a group's help with its summary; parses and runs as the function at `address`, `module:function`."""

    def __init__(self, name: str, summary: str, address: str) -> None:
        super().__init__(name, help=summary)
        self._address = address

    def make_context(self, *arguments: Any, **options: Any) -> Any:
        """The context of the real command, which is therefore the one that is invoked."""
        app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)
        app.command(self.name)(resolve_name(self._address))
        return get_command(app).make_context(*arguments, **options)


def lazy_group(commands: Mapping[str, Command]) -> type[TyperGroup]:
    """A group that has these commands beside those that Typer gives it."""

    class LazyGroup(TyperGroup):
        def __init__(self, **attributes: Any) -> None:
            super().__init__(**attributes)
            for name, command in commands.items():
                self.commands[name] = LazyCommand(name, command.summary, command.address)

    return LazyGroup
