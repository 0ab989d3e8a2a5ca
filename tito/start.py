"""The console script, and how it starts: what is imported is no garbage, so until that is done nobody looks for any.

The collector would take a tenth of the time of a light command (`benchmarks/start_up.py`).
"""

from __future__ import annotations

import gc
import os
import signal


def main() -> None:
    """Run the command line of this process."""
    gc.disable()
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # until ours stands, Ctrl-C just ends us, without a traceback
    from tito.app import main as run

    run()


def alone() -> None:
    """For a command that computes little: numpy, not loaded yet, starts none of its threads."""
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


def finished() -> None:
    """Starting is over and long work begins, which does make garbage."""
    gc.freeze()
    gc.enable()
