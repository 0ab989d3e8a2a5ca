"""Test splits are the referee's: a process that builds or measures an entry has none.

The files are in the package all the same, and whoever reads them finds the answers; only private data rule that out.
"""

from __future__ import annotations

from collections.abc import Callable

from tinytorch.core.dataloader import TensorDataset
from tinytorch.core.tensor import Tensor
from tinytorch.errors import UsageError

_withheld: list[bool] = []


class Withheld(TensorDataset):
    """Stands in the place of a test split. Whatever it is asked for, it raises UsageError."""

    def __init__(self) -> None:
        pass

    @property
    def tensors(self) -> tuple[Tensor, ...]:  # type: ignore[override]
        """The split that is not here."""
        mend = "hold a part of train_data back to test with"
        raise UsageError("the test split is withheld while an entry is built and measured", mend=mend)


def withhold_test_splits() -> None:
    """From now on this process has no test split."""
    _withheld.append(True)


def are_withheld() -> bool:
    """Whether test splits are withheld here."""
    return bool(_withheld)


def withholdable(make: Callable[[], TensorDataset]) -> TensorDataset:
    """The test split that `make` gives, where it is not withheld."""
    return Withheld() if are_withheld() else make()
