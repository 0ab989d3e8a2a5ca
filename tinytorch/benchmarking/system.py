"""What this machine is, without anything that names its owner, and doubts about it.

A doubt is a value: a code, the evidence in numbers, and what to do about it. Counters are read before and after
measuring; a sign that this system cannot show is "could not look", never "fine".
"""

from __future__ import annotations

import os
import platform
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np
import psutil

from tinytorch.benchmarking.blas import blas_library
from tinytorch.benchmarking.measure import CLOCK
from tinytorch.benchmarking.records.session import Doubt, SystemInfo
from tinytorch.benchmarking.schedule import SHORTEST_SAMPLE_NS, TIMER_SHARE
from tinytorch.units import format_share, format_size, format_time


def describe(blas_threads: int | None = None) -> SystemInfo:
    """This machine now; `blas_threads` is what the measuring processes verified (None: not verified)."""
    blas = blas_library()
    return SystemInfo(
        cpu_model=cpu_model(),
        physical_cores=psutil.cpu_count(logical=False),
        logical_cores=psutil.cpu_count(),
        memory_bytes=psutil.virtual_memory().total,
        operating_system=f"{platform.system()} {platform.release()} {platform.machine()}",
        python=f"{platform.python_implementation()} {platform.python_version()}",
        numpy=np.__version__,
        scipy=_version("scipy"),
        numba=_version("numba"),
        tinytorch=_version("tinytorch-olympics"),
        blas=f"{blas['internal_api']} {blas.get('version') or ''}".strip() if blas else None,
        blas_threads=blas_threads,
        governor=_governor(),
    )


def _version(package: str) -> str | None:
    """Of an installed package; it need not be loaded for that."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _said(*command: str) -> str:
    """What a program of the system says, whatever its encoding."""
    done = subprocess.run(command, capture_output=True, encoding="utf-8", errors="replace", check=True, timeout=10)
    return done.stdout


def cpu_model() -> str | None:
    system = platform.system()
    if system == "Linux":
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
        named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
        return next(named, None) or platform.machine() or None
    if system == "Darwin":
        return _said("sysctl", "-n", "machdep.cpu.brand_string").strip() or None
    return platform.processor() or None


def _governor(root: Path = Path("/")) -> str | None:
    """What decides the processor's speed on Linux; None elsewhere and where it is not shown (virtual machines)."""
    file = root / "sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"
    return file.read_text(encoding="ascii").strip() or None if file.is_file() else None


BUSY_CORES = 0.15  # processor time of other programs, in cores: an idle desktop needs a few hundredths
STEAL_SHARE = 0.01  # of the machine's processor time, taken by its host
DISTURBED_EXCESS = 1.2  # of typical over quiet time; sessions of one pair at 1.2 to 1.7 differed by 8 %
NORMAL_SPEED_PERCENT = 100  # of macOS's `CPU_Speed_Limit`

_THROTTLE_COUNTERS = "sys/devices/system/cpu/cpu[0-9]*/thermal_throttle/*_throttle_count"


@dataclass(frozen=True)
class Reading:
    """The machine's counters at one moment, seconds and bytes since its start; None where it has no such counter."""

    at_ns: int
    cores: int
    busy_s: float
    own_s: float | None
    stolen_s: float | None
    throttled: int | None
    speed_percent: int | None
    swapped_bytes: int
    on_battery: bool | None


@dataclass(frozen=True)
class Observations:
    """Everything that the signs are looked for in; `typical_excess` is the models' largest typical / quiet time."""

    before: Reading
    after: Reading
    blas_threads: int | None
    timer_ns: int
    typical_excess: float | None = None

    @property
    def elapsed_s(self) -> float:
        """Seconds between the two readings."""
        return max(1, self.after.at_ns - self.before.at_ns) / 1e9


@dataclass(frozen=True)
class Look:
    """What one sign shows. `is_doubtful` is None when this machine cannot be asked."""

    is_doubtful: bool | None
    evidence: str


@dataclass(frozen=True)
class Sign:
    """One row of the table."""

    code: str
    look: Callable[[Observations], Look]
    advice: str
    is_seen_later: bool = False  # only when the workers have ended


def read_machine(root: Path = Path("/")) -> Reading:
    """The counters now. `root` is where Linux's own files are looked for."""
    system = platform.system()
    times = psutil.cpu_times()
    swap = psutil.swap_memory()
    battery = psutil.sensors_battery()
    nice_s = 0.0 if system == "Windows" else times.nice
    return Reading(
        at_ns=CLOCK(),
        cores=psutil.cpu_count() or 1,
        busy_s=times.user + times.system + nice_s,
        own_s=_own_s(system),
        stolen_s=times.steal if system == "Linux" else None,
        throttled=_throttled(root) if system == "Linux" else None,
        speed_percent=_speed_percent() if system == "Darwin" else None,
        swapped_bytes=swap.sin + swap.sout,
        on_battery=None if battery is None or battery.power_plugged is None else not battery.power_plugged,
    )


def _own_s(system: str) -> float | None:
    """Processor time of this process and of its workers that have ended; Windows does not add those up."""
    if system == "Windows":
        return None
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def _throttled(root: Path) -> int | None:
    """How often the processor slowed down for heat since the start; virtual machines keep no such count."""
    counters = sorted(root.glob(_THROTTLE_COUNTERS))
    return sum(int(counter.read_text()) for counter in counters) if counters else None


def _speed_percent() -> int | None:
    """What macOS allows the processor now."""
    words = _said("pmset", "-g", "therm")
    found = [line.partition("=")[2].strip() for line in words.splitlines() if "CPU_Speed_Limit" in line]
    return int(found[0]) if found else None


def _busy(evidence: Observations) -> Look:
    before, after = evidence.before, evidence.after
    if before.own_s is None or after.own_s is None:
        return Look(None, "this system does not add up the processor time of ended workers")
    others = (after.busy_s - before.busy_s) - (after.own_s - before.own_s)
    cores = max(0.0, others) / evidence.elapsed_s
    return Look(cores > BUSY_CORES, f"other programs used {cores:.2f} of {after.cores} cores")


def _steal(evidence: Observations) -> Look:
    before, after = evidence.before, evidence.after
    if before.stolen_s is None or after.stolen_s is None:
        return Look(None, "this system does not count stolen processor time")
    share = (after.stolen_s - before.stolen_s) / (evidence.elapsed_s * after.cores)
    return Look(share > STEAL_SHARE, f"the host took {format_share(share)} of the processor time")


def _throttling(evidence: Observations) -> Look:
    before, after = evidence.before, evidence.after
    if before.throttled is not None and after.throttled is not None:
        events = after.throttled - before.throttled
        return Look(events > 0, f"the processor slowed down for heat {events} times")
    if after.speed_percent is not None:
        return Look(after.speed_percent < NORMAL_SPEED_PERCENT, f"the processor may run at {after.speed_percent} %")
    return Look(None, "this system shows no count of thermal throttling")


def _blas_threads(evidence: Observations) -> Look:
    threads = evidence.blas_threads
    if threads is None:
        return Look(True, "the BLAS library does not say how many threads it uses")
    return Look(threads != 1, f"BLAS used {threads} thread{'s' if threads > 1 else ''}")


def _coarse_timer(evidence: Observations) -> Look:
    is_coarse = evidence.timer_ns > SHORTEST_SAMPLE_NS * TIMER_SHARE
    return Look(is_coarse, f"a reading of the clock costs and steps {format_time(evidence.timer_ns)}")


def _swap(evidence: Observations) -> Look:
    moved = evidence.after.swapped_bytes - evidence.before.swapped_bytes
    return Look(moved > 0, f"{format_size(moved)} went to or came from swap")


def _battery(evidence: Observations) -> Look:
    on_battery = evidence.after.on_battery
    if on_battery is None:
        return Look(False, "no battery")
    return Look(on_battery, "running on battery" if on_battery else "running on mains power")


def _disturbed(evidence: Observations) -> Look:
    excess = evidence.typical_excess
    if excess is None:
        return Look(None, "no latency was measured")
    return Look(excess > DISTURBED_EXCESS, f"calls typically took {excess:.2f} times their quiet time")


SIGNS = (
    Sign("busy", _busy, "close other programs and measure again", is_seen_later=True),
    Sign("steal", _steal, "measure when the host is quieter, or on a machine of your own"),
    Sign("throttling", _throttling, "let the machine cool down, and put it where air gets to it"),
    Sign("blas_threads", _blas_threads, "set OMP_NUM_THREADS=1 before Python starts, or use the worker processes"),
    Sign("coarse_timer", _coarse_timer, "nothing: fast calls are timed in longer batches; a virtual machine's clock"),
    Sign("swap", _swap, "free memory: close programs, or measure a smaller model"),
    Sign("disturbed", _disturbed, "the interval may be too narrow: measure again later, or with --tier rigorous"),
    Sign("battery", _battery, "plug it in: on battery the processor changes its speed"),
)


def find_doubts(evidence: Observations) -> list[Doubt]:
    """The signs that do cast doubt, in the order of the table."""
    looks = ((sign, sign.look(evidence)) for sign in SIGNS)
    return [
        Doubt(code=sign.code, evidence=look.evidence, advice=sign.advice) for sign, look in looks if look.is_doubtful
    ]
