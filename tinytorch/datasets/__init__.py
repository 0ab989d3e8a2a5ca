"""Data that ship with the package."""

from tinytorch.datasets.digits import DIGITS_SHA256, load_digits

__all__ = ["DIGITS_SHA256", "load_digits"]
