"""Every error that a user can meet, as one tree; each branch has one exit code (see `tito.app`).

TinyTorchError                what went wrong, and `mend`: the command or change that mends it
├── UsageError                the call is wrong: unknown name, bad option, unreadable file      exit 2
│   ├── ShapeError            arrays that do not fit together
│   ├── RangeError            an index or a token that is not there
│   └── GraphError            gradients that are not to be had: the graph is released, or its arrays were changed
├── SetupMissingError         something that must come first is absent: no run yet, no data      exit 3
└── RunError                  the run itself failed                                              exit 4
    ├── WorkerError           a worker process raised, died, hung or broke the protocol
    ├── ModelError            a model that cannot be measured honestly: other answers when timed, a patched framework
    └── EntryError            the entry failed: raised, crashed, timed out, gave a wrong output
"""

from __future__ import annotations

MEND = "to mend it: "


class TinyTorchError(Exception):
    """Root of the tree. `mend` says what to type or change; it may be empty."""

    def __init__(self, message: str, *, mend: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.mend = mend
        if mend:
            self.add_note(f"{MEND}{mend}")  # which a traceback shows


class UsageError(TinyTorchError, ValueError):
    """The caller asked for something that does not exist or does not fit."""


class ShapeError(UsageError):
    """Arrays whose shapes do not fit together."""


class RangeError(UsageError, IndexError):
    """An index beyond the end: iteration by number stops at it."""


class GraphError(UsageError, RuntimeError):
    """Gradients that cannot be had from this graph, or not any more."""


class SetupMissingError(TinyTorchError):
    """A step that must come first has not been done."""


class RunError(TinyTorchError, RuntimeError):
    """A run that was started did not finish."""


class WorkerError(RunError):
    """A worker process raised, died, hung or answered nonsense."""


class ModelError(RunError):
    """A model does what a measured model must not."""


class EntryError(RunError):
    """An athlete's entry failed; the message quotes the entry's own line where there is one."""
