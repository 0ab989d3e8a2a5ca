"""Operations that students write: a class with a gradient rule takes part in the graph like a row of the table.

A class may be used in two ways. Compute, then say by what:

    result = Tensor(a.data * b.data, requires_grad=True)
    result._grad_fn = MulBackward(a, b)          # `apply(gradient)` or `backward(gradient)` -> (of a, of b)

or write `forward` as well, and let `apply` do both:

    result = Mul.apply(a, b)                     # `forward(self, a, b)`, or PyTorch's static `forward(ctx, a, b)`

`AddBackward` and its like are rows of the table in that form: what the framework itself hands back can be looked at.
"""

from __future__ import annotations

import inspect
from typing import Any, ClassVar

import numpy as np

from tinytorch.core.ops import OPERATIONS, Array
from tinytorch.core.recording import Applied, is_recording, no_grad
from tinytorch.core.tensor import Tensor
from tinytorch.core.windows import Size
from tinytorch.errors import UsageError

__all__ = [
    "AddBackward",
    "Conv2dBackward",
    "DivBackward",
    "EmbeddingBackward",
    "Function",
    "GELUBackward",
    "MatmulBackward",
    "MaxPool2dBackward",
    "MulBackward",
    "ReLUBackward",
    "SigmoidBackward",
    "SubBackward",
    "TanhBackward",
    "enable_autograd",
    "no_grad",
]


def enable_autograd(quiet: bool = False) -> None:
    """Nothing to do: gradients are always available. It is here for files that switch them on."""


class _Apply:
    """`apply` of a class computes a result from tensors, `apply` of an object hands a gradient back."""

    def __get__(self, function: Function | None, kind: type[Function]) -> Any:
        return kind.compute if function is None else function.hand_back


class Function:
    """One use of an operation: the tensors that it was given, and the rule for their gradients.

    `inputs` are those tensors, and `saved_tensors` are too unless `save_for_backward` said what else to keep.
    Write `backward(self, gradient)`: an array of the result's shape -> an array for each input in order, None for one
    that has no gradient. With PyTorch's static methods the first argument is this object, and gradients are tensors.
    """

    apply = _Apply()

    def __init__(self, *inputs: Any) -> None:
        self.inputs = self.saved_tensors = inputs

    @property
    def needs_input_grad(self) -> tuple[bool, ...]:
        """For each input whether a gradient is wanted."""
        return tuple(isinstance(item, Tensor) and item.requires_grad for item in self.inputs)

    def save_for_backward(self, *tensors: Any) -> None:
        """Keep what `backward` will need."""
        self.saved_tensors = tensors

    def forward(self, *inputs: Any) -> Any:
        """The result for tensors and other arguments, a tensor or an array."""
        raise NotImplementedError(f"{type(self).__qualname__} has no forward()")

    def backward(self, gradient: Any) -> Any:
        """The inputs' gradients, by that of the result."""
        raise NotImplementedError(f"{type(self).__qualname__} has no backward()")

    @classmethod
    def compute(cls, *inputs: Any) -> Tensor:
        """The result for `inputs`, as part of the graph when one of them requires a gradient.

        Raises UsageError when `forward` gives anything but one tensor or array.
        """
        function = cls(*inputs)
        with no_grad():
            output = function._call("forward", *inputs)
        if not isinstance(output, (Tensor, np.ndarray, np.generic)):
            raise UsageError(f"{cls.__qualname__}.forward() must give one tensor or array, not {type(output).__name__}")
        array = np.asarray(output)
        result = Tensor(array, dtype=array.dtype)
        if is_recording() and any(function.needs_input_grad):
            result._grad_fn = function
            result._requires_grad = True
        return result

    def hand_back(self, gradient: Any) -> Any:
        """`backward`, without being remembered itself."""
        with no_grad():
            return self._call("backward", Tensor(gradient) if self._is_static("backward") else gradient)

    def _call(self, name: str, *arguments: Any) -> Any:
        method = getattr(self, name)
        return method(self, *arguments) if self._is_static(name) else method(*arguments)

    def _is_static(self, name: str) -> bool:
        return isinstance(inspect.getattr_static(type(self), name), staticmethod)


class Row(Function):
    """A row of the table: `AddBackward(a, b).apply(gradient)` -> (of a, of b). `options` are what else it is given."""

    name: ClassVar[str]

    def __init__(self, *inputs: Any, **options: Any) -> None:
        super().__init__(*inputs)
        self.options = options

    def forward(self, *inputs: Tensor) -> Array:
        """What the row computes."""
        return OPERATIONS[self.name].forward(*[tensor.data for tensor in inputs], **self.options)

    def backward(self, gradient: Array) -> tuple[Array | None, ...]:
        """What the row hands back, None to an input that wants no gradient."""
        arrays = [tensor.data for tensor in self.inputs]
        return tuple(Applied(self.name, self.inputs, arrays, self.forward(*self.inputs), self.options).apply(gradient))


def _row(title: str) -> type[Row]:
    """The row of that name as a class."""
    return type(f"{title}Backward", (Row,), {"name": title.lower(), "__module__": __name__})


AddBackward = _row("Add")
SubBackward = _row("Sub")
MulBackward = _row("Mul")
DivBackward = _row("Div")
MatmulBackward = _row("Matmul")
ReLUBackward = _row("ReLU")
SigmoidBackward = _row("Sigmoid")
TanhBackward = _row("Tanh")
GELUBackward = _row("GELU")


class EmbeddingBackward(Row):
    """Rows of a table: (of the weight,), a sum over all places that took a row."""

    name = "getitem"

    def __init__(self, weight: Tensor, indices: Any) -> None:
        super().__init__(weight, index=np.asarray(indices).astype(np.int64))


class Conv2dBackward(Row):
    """A convolution: (of the images, of the weight, and of the bias if there is one); shapes follow from those."""

    name = "conv2d"

    def __init__(
        self, x: Tensor, weight: Tensor, bias: Tensor | None = None, stride: int = 1, padding: int = 0, *shapes: Any
    ) -> None:
        inputs = (x, weight) if bias is None else (x, weight, bias)
        super().__init__(*inputs, stride=stride, padding=padding)


class MaxPool2dBackward(Row):
    """The greatest of each window: (of the images,). The shape of the result follows from the rest."""

    name = "max_pool2d"

    def __init__(
        self, x: Tensor, output_shape: Any, kernel_size: int | Size, stride: int | None = None, padding: int = 0
    ) -> None:
        rows, columns = (kernel_size, kernel_size) if isinstance(kernel_size, int) else kernel_size
        step = rows if stride is None else stride
        super().__init__(x, kernel=(rows, columns), stride=step, padding=padding)
