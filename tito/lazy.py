"""Groups and commands that are made when they are called, so that `--help` and light commands start at once."""

from __future__ import annotations

from collections.abc import Mapping
from pkgutil import resolve_name
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command

from tinytorch.errors import UsageError
from tinytorch.showing import nearest
from tito.commands import OTHER_NAMES, Command, Group, every_command

NAMES = {"help_option_names": ["-h", "--help"]}


class Lazy(TyperCommand):
    """Stands in a group's help with its summary; parses and runs as what its entry says."""

    def __init__(self, name: str, entry: Command | Group) -> None:
        super().__init__(name, help=entry.summary)
        self._entry = entry

    def make_context(self, info_name: str | None, args: list[str], parent: Any = None, **options: Any) -> Any:
        """The context of the real one, which is therefore the one that is invoked."""
        name, entry = str(info_name), self._entry
        if isinstance(entry, Command) and args and args[0] in entry.words:
            word, *args = args
            name, entry = f"{name} {word}", entry.words[word]
        return _made(name, entry).make_context(name, args, parent, **options)


def lazy_group(entries: Mapping[str, Command | Group]) -> type[TyperGroup]:
    """A group that has these commands and groups."""

    class LazyGroup(TyperGroup):
        def __init__(self, **attributes: Any) -> None:
            super().__init__(**attributes)
            for name, entry in entries.items():
                self.commands[name] = Lazy(name, entry)

        def get_command(self, ctx: Any, cmd_name: str) -> Any:
            found = super().get_command(ctx, OTHER_NAMES.get(cmd_name, cmd_name))
            if found is None and not cmd_name.startswith("-") and not ctx.resilient_parsing:
                raise UsageError(f"there is no command {ctx.command_path} {cmd_name}", mend=_meant(ctx, cmd_name))
            return found

    return LazyGroup


def _meant(context: Any, name: str) -> str:
    """The command that somebody may have meant: that name in another group, a close one here, or how to see all."""
    elsewhere = [words for words in every_command() if words[-1] == name]
    if elsewhere:
        return f"write {' '.join(('tito', *elsewhere[0]))}"
    return nearest(name, context.command.commands, f"{context.command_path} --help lists all")


def help_alone(context: typer.Context) -> None:
    """A group without a command shows what there is."""
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


def _made(name: str, entry: Command | Group) -> Any:
    options: dict[str, Any] = {"add_completion": False, "pretty_exceptions_enable": False, "rich_markup_mode": None}
    if isinstance(entry, Command):
        app = typer.Typer(**options)
        app.command(name)(resolve_name(entry.address))
    else:
        app = typer.Typer(**options, name=name, cls=lazy_group(entry.commands), help=entry.summary,
                          invoke_without_command=True, context_settings=NAMES, callback=help_alone)  # fmt: skip
    return get_command(app)
