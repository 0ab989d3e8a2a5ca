"""A service that can go wrong in every way, and a look at what is left of its workers."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

SERVICE = '''
import os, signal, subprocess, sys, time
from pathlib import Path

REPLIES = int(sys.argv[2])  # where an entry that looks for it finds the way to the parent
SLEEP = [sys.executable, "-c", "import time; time.sleep(600)"]


def forked(leaves):
    """A grandchild that lives on when its parent has ended; in a session of its own where it leaves the group."""
    if os.fork() == 0:
        if leaves:
            os.setsid()
        if os.fork() == 0:
            time.sleep(600)
        os.kill(os.getpid(), signal.SIGKILL)


class Service:
    def double(self, value, progress=None):
        print("noise")
        if progress:
            progress("double", 0.5)
        return 2 * value
    def fail(self): raise KeyError("lost")
    def refuse(self):
        from tinytorch.errors import UsageError
        raise UsageError("not so", mend="but so")
    def leave(self): os._exit(7)
    def compute(self):
        while time.process_time() < 0.5: pass
    def eat(self): return len([bytes(10**8) for _ in range(100)])
    def length(self, text): return len(text)
    def print_much(self):
        for number in range(1000): print("x" * 20_000, flush=True)
        print("the end")
    def loop(self):
        while True: pass
    def fail_aloud(self): print("noise", flush=True); self.fail()
    def leave_aloud(self): print("noise", flush=True); self.leave()
    def loop_aloud(self): print("noise", flush=True); self.loop()
    def environment(self, name): return os.environ.get(name)
    def child(self): return subprocess.Popen(SLEEP).pid
    def fork_and_die(self): forked(False); os.kill(os.getpid(), signal.SIGKILL)
    def setsid_and_die(self): forked(True); os.kill(os.getpid(), signal.SIGKILL)
    def forked_copy_returns(self): return os.fork() and "original"
    def ignore_signals(self):
        for number in set(signal.Signals) - {signal.SIGKILL, signal.SIGSTOP}:
            signal.signal(number, signal.SIG_IGN)
        self.loop()
    def flood(self):
        while True: os.write(REPLIES, b"x" * 65536)
    def endless_progress(self, progress):
        while True: progress("on and on", 0.5)
    def forged_progress(self, progress): progress(3, "x")
    def out_of_turn(self):
        os.write(REPLIES, b'{"number": 999, "result": 1}\\n')
        self.loop()
    def nonsense(self):
        os.write(REPLIES, b"nonsense\\n")
        self.loop()
    def half_a_reply(self):
        os.write(REPLIES, b'{"number": 1, "resu')
        self.loop()
    def go_silent(self): os.kill(os.getpid(), signal.SIGSTOP)
    def stop_the_guard(self):
        os.kill(os.getppid(), signal.SIGSTOP)
        self.loop()
    def kill_the_guard(self):
        forked(True)
        os.kill(os.getppid(), signal.SIGKILL)
        self.loop()
    def leave_an_orphan_without_guard(self):
        started, start = os.pipe()
        if os.fork() == 0:
            os.setsid()
            Path(__file__).with_name("orphan").write_text(str(os.getpid()))
            os.write(start, b"1")
            time.sleep(600)
        os.read(started, 1)
        os.kill(os.getppid(), signal.SIGKILL)
        self.loop()
    def daemon_without_a_mark(self, name):
        started, start = os.pipe()
        os.set_inheritable(start, True)
        if os.fork() == 0:
            os.setsid()
            if os.fork() == 0:
                program = f"import os, time; os.write({start}, b'1'); time.sleep(600) # {name}"
                os.execve(sys.executable, [sys.executable, "-c", program], {})
            os._exit(0)
        os.read(started, 1)
        os.kill(os.getppid(), signal.SIGKILL)
        self.loop()
    def kill_all(self):
        os.kill(-1, signal.SIGKILL)
    def killed(self): os.kill(os.getpid(), signal.SIGKILL)
'''


@pytest.fixture
def service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The service's address; `PYTHONPATH` marks its processes, whatever they do to their environment later."""
    (tmp_path / "service_for_tests.py").write_text(SERVICE)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=os.pathsep)
    return "service_for_tests:Service"


@pytest.fixture
def left_behind(tmp_path: Path, service: str) -> Callable[[], list[psutil.Process]]:
    """The living processes that this test's workers started."""

    def look() -> list[psutil.Process]:
        return [process for process in psutil.process_iter() if _is_alive_below(process, str(tmp_path))]

    return look


def _is_alive_below(process: psutil.Process, folder: str) -> bool:
    try:
        mine = folder in process.environ().get("PYTHONPATH", "") and process.pid != os.getpid()
        return mine and process.status() != psutil.STATUS_ZOMBIE
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return False
