"""`tito olympics verify`: entries built and measured again, in a box, beside what was claimed of them."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tinytorch.errors import UsageError
from tinytorch.harness.contender import BUILD_LIMIT_S
from tinytorch.showing import nearest
from tito.commands import GROUPS
from tito.olympics.benchmark import TierName
from tito.options import LEAST_MEMORY_MB, Entry, Json, RulesFile, TimeLimit

if TYPE_CHECKING:
    from tito.olympics.sharing import Sharing

DEFAULT_FOLDER = Path("verified")
DEFAULT_MEMORY_MB = 4096.0
NO_SLIP = "none of our words"


class VerifiedLevel(StrEnum):
    """The highest level of trust that is asked for."""

    T2 = "t2"
    T3 = "t3"


class Wall(StrEnum):
    """What holds an entry."""

    AUTO = "auto"
    A = "a"
    B = "b"
    C = "c"


def verify(
    paths: Annotated[
        list[str] | None,
        typer.Argument(metavar="PATH", help="Bundles, submissions with their entry beside them, or folders of these."),
    ] = None,
    entry: Entry = None,
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="DIR", help="Where the records are kept.")
    ] = DEFAULT_FOLDER,
    level: Annotated[
        VerifiedLevel,
        typer.Option("--level", help="t2: it repeats here; t3: by a clock, inputs and data that it cannot reach."),
    ] = VerifiedLevel.T2,
    private: Annotated[
        list[Path] | None,
        typer.Option("--private", metavar="FILE", help="Data that nobody else has, for t3; repeat it for other tasks."),
    ] = None,
    isolation: Annotated[
        Wall, typer.Option("--isolation", help="bubblewrap (a), Landlock (b), or no box at all (c).")
    ] = Wall.AUTO,
    trusted: Annotated[
        bool, typer.Option("--i-trust-this-code", help="Run it without a box; that gives no level.")
    ] = False,
    tier: Annotated[TierName, typer.Option("--tier", help="How long to measure, as for benchmark.")] = TierName.DEFAULT,
    time_limit: TimeLimit = BUILD_LIMIT_S,
    memory_limit: Annotated[
        float,
        typer.Option("--memory-limit", min=LEAST_MEMORY_MB, metavar="MB", help="For each process of an entry."),
    ] = DEFAULT_MEMORY_MB,
    again: Annotated[
        list[str] | None, typer.Option("--again", metavar="ID", help="Verify this one anew; repeat it for more.")
    ] = None,
    shard: Annotated[
        str | None,
        typer.Option("--shard", metavar="I/N", help="Only every N-th entry, for one of N machines that share -o."),
    ] = None,
    scheduler: Annotated[
        str | None,
        typer.Option("--scheduler", metavar="tcp://HOST:8786", help="Let the machines of a Dask scheduler do it."),
    ] = None,
    tls_ca: Annotated[
        Path | None, typer.Option("--tls-ca", metavar="FILE", help="With --scheduler: the authority's certificate.")
    ] = None,
    tls_cert: Annotated[
        Path | None, typer.Option("--tls-cert", metavar="FILE", help="With --scheduler: our certificate.")
    ] = None,
    tls_key: Annotated[
        Path | None, typer.Option("--tls-key", metavar="FILE", help="With --scheduler: our key.")
    ] = None,
    merge: Annotated[
        bool, typer.Option("--merge", help="Bring the PATHs, folders of records, into -o; is all there?")
    ] = False,
    rules: RulesFile = None,
    self_test: Annotated[
        bool, typer.Option("--self-test", help="Only try what the box must not let happen, and show it.")
    ] = False,
    json_: Json = False,
) -> None:
    """Build and measure entries again, in a box, and compare each with its claim: trust T2, "it repeats here".

    With --level t3 each that repeats is also timed from outside its process, asked on private data (--private; tito
    olympics private makes them), and built from baselines that are trained again: trust T3, "refereed".

    An entry takes what its optimize takes, and 10 to 20 s more at t2.

    Nothing of an entry is trusted. What is finished in the folder of -o is not done again: an interrupted call goes on
    with the same command. Exit code 1 when an entry does not repeat, 4 when this machine failed, 5 when it was too busy
    to say. Several machines share a class by --shard and --merge, or by --scheduler; `verify sign` and `verify check`
    say who did it.
    Examples: tito olympics verify class/ -o verified/; tito olympics verify submission.json --entry entry.py;
    tito olympics verify class/ --level t3 --private fashion.npz; tito olympics verify --self-test;
    tito olympics verify class/ --shard 1/3; tito olympics verify --merge -o verified/.
    """
    if merge and (shard or again or entry or scheduler or private or self_test):
        mend = "tito olympics verify --merge part1/ part2/ -o verified/"
        raise UsageError("--merge takes folders of records, and verifies nothing", mend=mend)
    if merge:
        from tito.olympics import merging

        raise typer.Exit(merging.merge(paths or [], output, rules, json_))
    if isolation is Wall.C and not (trusted or self_test):
        mend = "use --isolation auto, or add --i-trust-this-code"
        raise UsageError("without a box an entry can read, change and send whatever you can", mend=mend)
    if not paths and not self_test:
        mend = "tito olympics verify class/, or submission.json --entry entry.py"
        raise UsageError("which entries are to be verified?", mend=mend)
    if private and level is VerifiedLevel.T2:
        raise UsageError("private data are for --level t3", mend="add --level t3, or leave --private out")
    if self_test and (paths or shard or scheduler):
        raise UsageError("--self-test takes no entries", mend="tito olympics verify --self-test")
    _refuse_slips(paths or [])
    from tito.olympics import rerunning, verifying

    sharing = _sharing(shard, scheduler, (tls_ca, tls_cert, tls_key), isolation is Wall.C)
    wall = rerunning.wall_of(isolation.value) if scheduler is None else rerunning.wall_there(isolation.value)
    if self_test:
        raise typer.Exit(verifying.show_self_test(wall, json_))
    settings = rerunning.Settings(
        folder=str(output), wall=wall, tier=tier.value, build_limit_s=time_limit, memory_limit_mb=memory_limit,
        rules=str(rules) if rules else None, is_refereed=level is VerifiedLevel.T3,
        private=tuple(map(str, private or [])),
    )  # fmt: skip
    raise typer.Exit(verifying.verify_all(verifying.Asked(paths or [], entry, settings, sharing, again or []), json_))


def _refuse_slips(paths: list[str]) -> None:
    """UsageError for a word of ours with a slip of the pen, which would be a path that is not there."""
    words = GROUPS["olympics"].commands["verify"].words
    mend = nearest(paths[0], words, NO_SLIP) if paths and not Path(paths[0]).exists() else NO_SLIP
    if mend is not NO_SLIP:
        raise UsageError(f"there is no {paths[0]}", mend=f"tito olympics verify: {mend}")


def _sharing(shard: str | None, scheduler: str | None, tls: tuple[Path | None, ...], is_plain: bool) -> Sharing:
    """Who does the class; UsageError for what does not go together."""
    from tinytorch.competition.checks.shift import Part
    from tinytorch.harness.referee.cluster import Cluster, Tls
    from tito.olympics.sharing import Sharing

    ca, cert, key = tls
    if scheduler is None:
        if ca or cert or key:
            raise UsageError("--tls-ca, --tls-cert and --tls-key are for --scheduler", mend="leave them out")
        return Sharing(part=Part.parsed(shard) if shard else None)
    if shard:
        raise UsageError("--scheduler hands out entries itself, and --shard does so by hand", mend="give one of them")
    if is_plain:
        mend = "use --isolation auto: an entry without a box reaches the scheduler, and so every machine"
        raise UsageError("entries without a box are not handed to other machines", mend=mend)
    if (ca or cert or key) and not (ca and cert and key):
        raise UsageError("TLS needs three files", mend="--tls-ca FILE --tls-cert FILE --tls-key FILE")
    return Sharing(Cluster(scheduler, Tls(ca, cert, key) if ca and cert and key else None))
