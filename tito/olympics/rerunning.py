"""One entry verified on this machine, from paths and settings: what `verify` does here, or lets another machine do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

from tinytorch.competition.checks.verified import How
from tinytorch.competition.record.document import DISTRIBUTION
from tinytorch.competition.rules.events import Rules, read_rules
from tinytorch.errors import SetupMissingError
from tinytorch.harness.prepare import Observer
from tinytorch.harness.referee.canary import code_sha256
from tinytorch.harness.referee.private import PrivateFile, private_files
from tinytorch.harness.referee.redraw import Redraws
from tinytorch.harness.referee.referee import Referee
from tinytorch.harness.referee.verify import Place, box_tested, hides_labels, verified
from tinytorch.processes.box import Tier, refusal
from tinytorch.processes.worker import check_system
from tinytorch.progress import Progress, silent
from tinytorch.units import BYTES_PER_MEGABYTE
from tito.olympics.on_shift import OnShift
from tito.terminal import screen
from tito.workspace.entries import HandedIn, candidate
from tito.workspace.folder import CACHE_VARIABLE, folder_of
from tito.workspace.machine import MachineFile, with_what_is_known
from tito.workspace.verified import Verified

SAME = "install the same version on all machines"
OTHER_HERE = "the entry, the rules or the private data are others on this machine than where the call was made"


@dataclass(frozen=True)
class Settings:
    """How entries are verified, in paths and JSON; `wall` is the tier of the box, None for the plain process."""

    folder: str
    wall: Tier | None
    tier: str
    build_limit_s: float
    memory_limit_mb: float
    rules: str | None = None
    is_refereed: bool = False
    private: tuple[str, ...] = ()

    def how(self, rules: Rules, private: Mapping[str, PrivateFile]) -> How:
        """What of them a record has, and its id follows from."""
        return How(
            level="T3" if self.is_refereed else "T2", private=sorted({file.sha256 for file in private.values()}),
            isolation=self.wall or "C", tier=self.tier, build_limit_s=self.build_limit_s, rules_sha256=rules.sha256,
            memory_limit_bytes=round(self.memory_limit_mb * BYTES_PER_MEGABYTE),
        )  # fmt: skip

    def of(self, id_: str, handed: HandedIn, shift: Mapping[str, Any] | None) -> dict[str, Any]:
        """What another process, or machine, needs to verify one entry."""
        entry = str(handed.entry.absolute()) if handed.entry else None
        return {"id": id_, "source": handed.name, "path": str(handed.path.absolute()), "entry": entry,
                "settings": asdict(self._absolute()), "shift": shift, "code": code_sha256()}  # fmt: skip

    def _absolute(self) -> Settings:
        """With paths that say the same from wherever they are used."""
        rules = str(Path(self.rules).absolute()) if self.rules else None
        private = tuple(str(Path(each).absolute()) for each in self.private)
        return replace(self, folder=str(Path(self.folder).absolute()), rules=rules, private=private)


def wall_of(isolation: str) -> Tier | None:
    """The tier of box that is meant; of `auto` the best that this machine lets us have.

    SetupMissingError says which package or setting is missing.
    """
    check_system("verifying")
    if isolation == "c":
        return None
    wanted: list[Tier] = ["A", "B"] if isolation == "auto" else ["A" if isolation == "a" else "B"]
    refusals: dict[Tier, tuple[str, str]] = {}
    for tier in wanted:
        refused = refusal(tier)
        if refused is None:
            for other, (why, mend) in refusals.items():
                screen.say(f"warning: no box of tier {other}: {why}; {mend}. Tier {tier} is used")
            return tier
        refusals[tier] = refused
    whys = "; ".join(f"tier {tier}: {why}" for tier, (why, _) in refusals.items())
    raise SetupMissingError(f"no box can be had here: {whys}", mend=next(iter(refusals.values()))[1])


def wall_there(isolation: str) -> Tier:
    """The tier of box on other machines: one for all of them, whatever this one has."""
    return "B" if isolation == "b" else "A"


def rerun(item: Mapping[str, Any], told: Observer) -> str:
    """The record of one entry, as the text of its file; whatever the entry does, this returns.

    SetupMissingError where this machine cannot verify anything: without a box that holds, or with another version.
    """
    if item["code"] != code_sha256():
        raise SetupMissingError(f"another version of the tool is installed here: {version(DISTRIBUTION)}", mend=SAME)
    settings = _settings(item["settings"])
    place = place_of(settings, told.progress)
    shift = OnShift.of(settings.folder, place, item["shift"])
    if shift:
        shift.begin(told)
    handed = HandedIn(Path(item["path"]), Path(item["entry"]) if item["entry"] else None)
    with candidate(handed, place.rules) as one:
        named = replace(one, judged=replace(one.judged, source=item["source"]))
        found = verified(named, place, told)
    if found.id != item["id"]:
        found = found.model_copy(update={"id": item["id"], "level": None, "outcome": "VOID", "reason": OTHER_HERE})
    text = found.text()
    if shift:
        shift.did(found.id, text, told)
    return text


def look_again(item: Mapping[str, Any], told: Observer) -> str:
    """The canary, at the end of this machine's shift."""
    settings = _settings(item["settings"])
    if shift := OnShift.of(settings.folder, place_of(settings, told.progress), item["shift"]):
        shift.look(told)
    return ""


def _settings(given: Mapping[str, Any]) -> Settings:
    return Settings(**{**given, "private": tuple(given["private"])})


_places: dict[Settings, Place] = {}  # of this process: the box is tested once


def place_of(settings: Settings, progress: Progress = silent) -> Place:
    """Where entries are verified here; SetupMissingError where nothing may be run, because the box does not hold."""
    if settings not in _places:
        _places[settings] = _place(settings, progress)
    return _places[settings]


def _place(settings: Settings, progress: Progress) -> Place:
    if settings.is_refereed and settings.wall != "A":
        mend = "apt install bubblewrap; or --level t2"
        raise SetupMissingError("trust T3 needs a box of tier A (bubblewrap)", mend=mend)
    if settings.wall and (refused := refusal(settings.wall)):
        raise SetupMissingError(f"no box of tier {settings.wall} can be had here: {refused[0]}", mend=refused[1])
    box = box_tested(settings.wall, lambda share: progress("probe", share))
    if settings.wall and not box.holds:
        raise SetupMissingError(
            f"the box of tier {settings.wall} lets through: {', '.join(box.open)}",
            mend="tito olympics verify --self-test shows every probe",
        )
    rules = read_rules(Path(settings.rules) if settings.rules else None)
    private = private_files([Path(each) for each in settings.private])
    machine = MachineFile().read()  # nothing is learnt here: what runs beside an entry's code may show any time
    known = partial(with_what_is_known, machine=machine)
    cache, how = folder_of(CACHE_VARIABLE), settings.how(rules, private)
    place = Place(how, box, hides_labels(settings.wall), rules, cache, known)
    if not settings.is_refereed:
        return place
    secret = Verified(Path(settings.folder)).secret()
    return replace(place, referee=Referee(private, Redraws(secret, cache)))
