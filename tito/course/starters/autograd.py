"""Module 05 (06 in the newer edition): gradients of whatever was computed.

Every operation remembers its inputs and its rule; backward() walks the operations from the last to the first and adds
to each tensor's grad. What is used twice gets both gradients.
Test it:  tito module test autograd
"""

import numpy as np

from tinytorch.core.tensor import Tensor


class Function:
    """One use of an operation: apply(gradient) turns the gradient of its result into a tuple, one for each input.

    Gradients are arrays.
    """

    def __init__(self, *tensors):
        self.saved_tensors = tensors

    def apply(self, gradient):
        raise NotImplementedError("a Function needs its rule")


# One class for each operation: AddBackward, SubBackward, MulBackward, DivBackward, MatmulBackward, SumBackward and
# ReshapeBackward at least; what has no rule breaks the way back, and leaves grad at None.
# The product rule as an example: d(a b)/da = b and d(a b)/db = a, each times the gradient that comes in.
# Where numpy has broadcast an input, its gradient must be summed back to its shape.


def enable_autograd(quiet=False):
    """Make every operation of Tensor remember its Function in result._grad_fn, and give Tensor backward(gradient=None).

    While your file is tested Tensor has no gradients of its own: those are yours.
    """
    raise NotImplementedError("enable_autograd")
