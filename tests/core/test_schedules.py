"""The learning rate as training goes on."""

from __future__ import annotations

import pytest

from tinytorch.core.schedules import CosineSchedule
from tinytorch.errors import UsageError


def test_the_learning_rate_rises_then_falls() -> None:
    schedule = CosineSchedule(1.0, 0.1, total_epochs=12, warmup_epochs=2)
    rates = [schedule.get_lr(epoch) for epoch in (0, 1, 2, 7, 12, 99)]
    assert rates == pytest.approx([1 / 3, 2 / 3, 1, 0.55, 0.1, 0.1])


@pytest.mark.parametrize(
    "options", [{"total_epochs": 0}, {"total_epochs": 5, "warmup_epochs": 5}, {"max_lr": -1}, {"warmup_epochs": -1}]
)
def test_a_schedule_that_leads_nowhere_is_refused(options: dict[str, float]) -> None:
    with pytest.raises(UsageError, match="a schedule needs"):
        CosineSchedule(**options)


@pytest.mark.parametrize("name", ["max_lr", "min_lr", "total_epochs", "warmup_epochs"])
def test_a_schedule_needs_numbers(name: str) -> None:
    with pytest.raises(UsageError, match=f"a schedule needs {name}"):
        CosineSchedule(**{name: float("nan")})
