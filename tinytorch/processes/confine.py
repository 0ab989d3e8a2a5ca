"""The walls of a box from within: a worker's own first lines put limits, Landlock and seccomp upon it (Linux).

Light to import: every process in a box loads it. Numbers of system calls are those of the kernel's generic table.
"""

from __future__ import annotations

import ctypes
import json
import os
import struct
import sys
from collections.abc import Iterable
from pkgutil import resolve_name
from types import ModuleType
from typing import NamedTuple

WRITABLE = ("/dev/shm", "/tmp", "/own")  # of tier A: in memory, of a limited size, and gone with the box
READABLE_BESIDES = (
    "/usr", "/lib", "/lib64", "/bin", "/sbin", "/etc/ld.so.cache", "/etc/alternatives", "/dev/null", "/dev/zero",
    "/dev/urandom", "/proc/self", "/proc/cpuinfo", "/proc/meminfo", "/proc/stat", "/sys/devices/system/cpu",
)  # fmt: skip
KILLED_FIRST = "1000"  # of all processes, when the machine runs out of memory: proc_pid_oom_score_adj(5)

# Whoever may make these calls attacks the kernel or other processes, or takes memory that no limit of ours counts.
REFUSED = (
    "ptrace", "process_vm_readv", "process_vm_writev", "pidfd_getfd", "kcmp", "keyctl", "add_key", "request_key", "bpf",
    "perf_event_open", "io_uring_setup", "userfaultfd", "unshare", "setns", "mount", "umount2", "pivot_root", "chroot",
    "open_by_handle_at", "name_to_handle_at", "reboot", "kexec_load", "init_module", "finit_module", "delete_module",
    "swapon", "swapoff", "memfd_create", "memfd_secret", "shmget", "msgget", "semget", "mq_open",
    "sched_setaffinity", "sched_setscheduler", "sched_setparam", "sched_setattr",  # a referee says where it runs
)  # fmt: skip
# Without namespaces these also change or start what is outside; Landlock does not know them.
REFUSED_IN_B = (
    "execve", "execveat", "chmod", "fchmod", "fchmodat", "chown", "fchown", "lchown", "fchownat", "setxattr",
    "lsetxattr", "fsetxattr", "utimensat", "utime", "utimes", "futimesat", "tkill",
)  # fmt: skip
_NETWORKS = (2, 10, 16, 17, 40)  # AF_INET, AF_INET6, AF_NETLINK, AF_PACKET, AF_VSOCK
_NEW_USERS = 0x10000000  # CLONE_NEWUSER
_EPERM, _ENOSYS, _EAFNOSUPPORT = 1, 38, 97

_SET_DUMPABLE, _SET_SECCOMP, _NO_NEW_PRIVILEGES = 4, 22, 38  # linux/prctl.h
_FILTER_MODE = 2
_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446  # the same numbers on every processor
_LIST = 1 << 3  # the names in a folder: linux/landlock.h
_READ_ACCESS = 1 << 0 | 1 << 2 | _LIST  # also execute and read its files
_ON_FILES = 1 << 0 | 1 << 1 | 1 << 2 | 1 << 14 | 1 << 15  # what can be allowed of a file rather than a folder


class Walls(NamedTuple):
    """What a box's first lines are told; `program` is seccomp's filter in hexadecimal digits, `limits` a `Limits`.

    Of the folders that are only `listed` no file can be read: imports look through them.
    """

    tier: str
    readable: list[str]
    listed: list[str]
    before: str | None
    given: dict[str, str]
    program: str
    limits: dict[str, int]

    @classmethod
    def told(cls, text: str) -> Walls:
        """From the command line."""
        return cls(**json.loads(text))

    def before_fork(self) -> None:
        """The guard of a box of tier A is behind the same walls as its worker; in tier B nobody may look into it."""
        with open("/proc/self/oom_score_adj", "w", encoding="ascii") as file:
            file.write(KILLED_FIRST)
        if self.tier == "A":
            self._limit()
            load_filter(bytes.fromhex(self.program))
        else:
            _prctl(_SET_DUMPABLE, 0)

    def before_service(self) -> None:
        """In the worker, before anything foreign is loaded."""
        if self.before is not None:
            resolve_name(self.before)(self.tier, self.given)
        if self.tier == "B":
            os.environ["TMPDIR"] = "/nowhere"
            already = _tasks_of_user()
            restrict(self.readable, self.listed)
            self._limit(already)
            load_filter(bytes.fromhex(self.program))

    def _limit(self, already: int = 0) -> None:
        """`already` are the threads of the same user that the kernel counts besides."""
        import resource  # Windows, where this file is only named, has none

        limits = self.limits
        for what, most in (
            (resource.RLIMIT_AS, limits["memory_bytes"]), (resource.RLIMIT_FSIZE, limits["file_bytes"]),
            (resource.RLIMIT_NOFILE, limits["files"]), (resource.RLIMIT_NPROC, already + limits["processes"]),
            (resource.RLIMIT_CPU, limits["processor_s"]), (resource.RLIMIT_CORE, 0), (resource.RLIMIT_MSGQUEUE, 0),
        ):  # fmt: skip
            _, highest = resource.getrlimit(what)
            least = most if highest == resource.RLIM_INFINITY else min(most, highest)
            resource.setrlimit(what, (least, least))


def program(seccomp: ModuleType, tier: str) -> bytes:
    """The filter of a tier as the kernel reads it, made by the library `pyseccomp`."""
    made = seccomp.SyscallFilter(seccomp.ALLOW)
    for name in (*REFUSED, *(REFUSED_IN_B if tier == "B" else ())):
        if seccomp.resolve_syscall(seccomp.Arch.NATIVE, name) >= 0:  # this processor has it
            made.add_rule(seccomp.ERRNO(_EPERM), name)
    # With "no such call" the C library takes the older `clone`, whose flags a filter can see.
    made.add_rule(seccomp.ERRNO(_ENOSYS), "clone3")
    made.add_rule(seccomp.ERRNO(_EPERM), "clone", seccomp.Arg(0, seccomp.MASKED_EQ, _NEW_USERS, _NEW_USERS))
    for family in _NETWORKS:
        made.add_rule(seccomp.ERRNO(_EAFNOSUPPORT), "socket", seccomp.Arg(0, seccomp.EQ, family))
    import tempfile  # only where a filter is made

    with tempfile.TemporaryFile() as file:
        made.export_bpf(file)
        file.seek(0)
        return file.read()


def load_filter(code: bytes) -> None:
    """Put a filter upon this process and all that it starts; nothing takes it off. An empty one is none."""
    if not code:
        return
    buffer = ctypes.create_string_buffer(code, len(code))
    described = struct.pack("HxxxxxxQ" if sys.maxsize > 2**32 else "HxxI", len(code) // 8, ctypes.addressof(buffer))
    _prctl(_NO_NEW_PRIVILEGES, 1)
    _prctl(_SET_SECCOMP, _FILTER_MODE, described)


def landlock_version() -> int:
    """What the kernel's Landlock can do; 0 where there is none."""
    if sys.platform != "linux":
        return 0
    return max(0, int(ctypes.CDLL(None).syscall(_CREATE_RULESET, None, 0, 1)))


def restrict(readable: Iterable[str], listed: Iterable[str]) -> None:
    """From here on this process and all that it starts read what is named, and write nothing: landlock(7)."""
    library, version = ctypes.CDLL(None, use_errno=True), landlock_version()
    handled = _file_accesses(version)
    ports, scoped = 3 if version >= 4 else 0, 3 if version >= 6 else 0  # TCP; abstract sockets and signals
    described = struct.pack("QQQ", handled, ports, scoped)[: 8 if version < 4 else 16 if version < 6 else 24]
    rules = library.syscall(_CREATE_RULESET, described, len(described), 0)
    _check(rules)
    for path in (*READABLE_BESIDES, *readable):
        _allow(library, rules, path, handled & _READ_ACCESS)
    for path in listed:
        _allow(library, rules, path, _LIST)
    _allow(library, rules, "/dev/null", handled & (_READ_ACCESS | 1 << 1))
    _prctl(_NO_NEW_PRIVILEGES, 1)
    _check(library.syscall(_RESTRICT_SELF, rules, 0))
    os.close(rules)


def _file_accesses(version: int) -> int:
    """All that the kernel's Landlock can forbid of files."""
    added = {2: 1 << 13, 3: 1 << 14, 5: 1 << 15}  # link elsewhere, truncate, ioctl of devices
    return (1 << 13) - 1 | sum(bit for since, bit in added.items() if version >= since)


def _allow(library: ctypes.CDLL, rules: int, path: str, accesses: int) -> None:
    if not os.path.exists(path):
        return
    descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
    allowed = accesses if os.path.isdir(path) else accesses & _ON_FILES
    _check(library.syscall(_ADD_RULE, rules, 1, struct.pack("=Qi", allowed, descriptor), 0))
    os.close(descriptor)


def _tasks_of_user() -> int:
    """How many threads this process's user has that can be seen."""
    found = 0
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                if os.stat(f"/proc/{name}").st_uid == os.getuid():
                    found += len(os.listdir(f"/proc/{name}/task"))
            except OSError:  # it has ended
                continue
    return found


def _prctl(option: int, value: int, pointer: bytes | None = None) -> None:
    library = ctypes.CDLL(None, use_errno=True)
    _check(library.prctl(option, ctypes.c_ulong(value), pointer, 0, 0))


def _check(result: int) -> None:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
