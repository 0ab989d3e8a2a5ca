"""`tito olympics verify sign` and `check`: who re-ran a class, so that others can rely on it."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tinytorch.errors import UsageError
from tito.exit_codes import ExitCode
from tito.options import Json
from tito.terminal import screen

if TYPE_CHECKING:
    from tito.workspace.verified import Verified

FolderOfRecords = Annotated[Path, typer.Argument(metavar="DIR", help="The folder that verify wrote into with -o.")]
Revoked = Annotated[
    Path | None, typer.Option("--revoked", metavar="FILE", help="Keys, or a list of OpenSSH's, that are not valid.")
]


def sign(
    folder: FolderOfRecords,
    key: Annotated[
        Path,
        typer.Option("--key", metavar="FILE", help="A key of OpenSSH; its .pub where an agent or a device holds it."),
    ],
    json_: Json = False,
) -> None:
    """Sign a folder of verifications: one manifest with the digest of every record, by ssh-keygen.

    Sign when all is verified: what is added or changed later is not signed.
    Examples: tito olympics verify sign verified/ --key ~/.ssh/id_ed25519.
    """
    from tito.workspace import signatures
    from tito.workspace.verified import Verified

    _refuse_no_folder(folder)
    _warn_of_missing(Verified(folder))
    count = signatures.sign(Verified(folder), key.expanduser())
    if json_:
        screen.put_json({"records": count, "manifest": str(folder / signatures.MANIFEST)})
        return
    screen.put(f"signed: {count} records of {folder}, in {signatures.MANIFEST} and {signatures.SIGNATURE}")
    screen.say(f"next: tito olympics verify check {shlex.quote(str(folder))} --signers allowed_signers")


def check(
    folder: FolderOfRecords,
    signers: Annotated[
        Path,
        typer.Option("--signers", metavar="FILE", help="Whom you rely on: a line each, ada@uni ssh-ed25519 AAAA..."),
    ],
    revoked: Revoked = None,
    json_: Json = False,
) -> None:
    """Check who signed a folder of verifications, and that nothing in it was changed, added or taken away since.

    Exit code 1 when the signature does not hold.
    Examples: tito olympics verify check verified/ --signers allowed_signers.
    """
    from tito.workspace import signatures
    from tito.workspace.verified import Verified

    _refuse_no_folder(folder)
    try:
        found = signatures.check(Verified(folder), signers.expanduser(), revoked and revoked.expanduser())
    except signatures.NotSignedError as error:
        if json_:
            screen.put_json({"holds": False, "reason": str(error)})
        else:
            screen.put(f"the signature does not hold: {error}")
        raise typer.Exit(ExitCode.FINDINGS) from None
    if json_:
        screen.put_json({"holds": True, "signed_by": found.by, "key": found.key, "records": found.records})
    else:
        screen.put(found.words)
        named = f"{shlex.quote(str(folder))} --signers {shlex.quote(str(signers))}"
        screen.say(f"next: tito olympics leaderboard CLASS --verified {named}")


def _warn_of_missing(folder: Verified) -> None:
    """Of a class that machines share: not all may be there yet."""
    from tinytorch.competition.checks.merged import missing

    shifts = list(folder.shifts())
    for said in missing(shifts, {each.id: each for each in folder.all()}) if shifts else ():
        screen.say(f"warning: {said}")


def _refuse_no_folder(folder: Path) -> None:
    if not folder.is_dir():
        raise UsageError(f"there is no folder {folder}", mend="name the folder that verify wrote into with -o")
