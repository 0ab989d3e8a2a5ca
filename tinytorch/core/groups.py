"""What an optimizer is given: parameters, alone or in groups, and settings in their ranges."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from tinytorch.core.arguments import checked, shown
from tinytorch.core.tensor import Tensor
from tinytorch.errors import UsageError

NAMES = {
    "lr": "a learning rate",
    "momentum": "a momentum",
    "weight_decay": "a weight decay",
    "beta": "a beta",
    "eps": "an eps",
}
RANGES: dict[str, dict[str, float]] = {
    "lr": {"above": 0},
    "momentum": {"from_": 0, "below": 1},
    "weight_decay": {"from_": 0},
    "beta": {"from_": 0, "below": 1},
    "eps": {"above": 0},
}


def groups_of(params: Iterable[Any]) -> list[dict[str, Any]]:
    """Parameters in groups, with what each says; UsageError for groups and tensors side by side."""
    if isinstance(params, Tensor):
        raise UsageError("an optimizer needs a list of tensors, and got one tensor", mend="write [tensor]")
    if isinstance(params, Mapping):
        params = [params]
    given = _listed(params)
    groups = [item for item in given if isinstance(item, Mapping)]
    if not groups:
        return [{"params": given}]
    if len(groups) < len(given) or not all("params" in group for group in groups):
        mend = 'write [{"params": first}, {"params": second, "lr": 0.1}]'
        raise UsageError('an optimizer needs tensors alone, or groups alone, each with "params"', mend=mend)
    return [{**group, "params": _listed(group["params"])} for group in groups]


def _listed(params: Any) -> list[Any]:
    if isinstance(params, Tensor):
        return [params]
    if not isinstance(params, Iterable) or hasattr(params, "parameters"):
        name = type(params).__qualname__
        raise UsageError(f"an optimizer needs a list of tensors, and got a {name}", mend="write model.parameters()")
    return list(params)


def check_parameters(params: list[Any]) -> None:
    """UsageError unless there are parameters, each a floating tensor, and none is there twice."""
    if not params:
        raise UsageError("an optimizer needs parameters, and got none")
    for param in params:
        if not isinstance(param, Tensor):
            raise UsageError(f"an optimizer needs tensors, and got a {type(param).__name__}")
        if param.dtype.kind != "f":
            mend = "make it by Tensor(data, requires_grad=True), which is float32"
            raise UsageError(f"an optimizer needs floating parameters, and one is {param.dtype}", mend=mend)
        if param._origin is not None:
            mend = "compute with arrays first: Tensor(0.1 * array, requires_grad=True)"
            raise UsageError("an optimizer needs tensors that were made, and one is an operation's result", mend=mend)
    if len({id(param) for param in params}) < len(params):
        raise UsageError("a parameter is there twice", mend="give every parameter once: model.parameters() does")


def checked_setting(name: str, value: Any) -> Any:
    """A setting when it is in its range; UsageError else."""
    if name == "nesterov":
        return bool(value)
    if name == "betas":
        if not isinstance(value, (tuple, list)) or len(value) != 2:
            raise UsageError(f"an optimizer needs betas as two numbers, got {shown(value)}", mend="write (0.9, 0.999)")
        first, second = value
        return checked_setting("beta", first), checked_setting("beta", second)
    return float(checked(f"an optimizer needs {NAMES[name]}", value, **RANGES[name]))
