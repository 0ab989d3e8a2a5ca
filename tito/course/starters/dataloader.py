"""Module 08 (05 in the newer edition): datasets and batches.

Test it:  tito module test dataloader
"""

from abc import ABC, abstractmethod

import numpy as np

from tinytorch.core.tensor import Tensor


class Dataset(ABC):
    """Samples by number: a length, and items."""

    @abstractmethod
    def __len__(self): ...

    @abstractmethod
    def __getitem__(self, index): ...


class TensorDataset(Dataset):
    """Rows of several tensors side by side; dataset[3] is a tuple of Tensors, the row number 3 of each.

    ValueError when they have different lengths.
    """

    def __init__(self, *tensors):
        raise NotImplementedError("TensorDataset(...)")

    def __len__(self):
        raise NotImplementedError("len(dataset)")

    def __getitem__(self, index):
        raise NotImplementedError("dataset[index]")


class DataLoader:
    """Batches of a dataset: iterating gives tuples of Tensors, each with the batch as its first axis.

    With shuffle=True the order of samples is drawn anew in each epoch. The last batch may be smaller.
    """

    def __init__(self, dataset, batch_size, shuffle=False):
        raise NotImplementedError("DataLoader(...)")

    def __len__(self):
        """How many batches there are."""
        raise NotImplementedError("len(loader)")

    def __iter__(self):
        raise NotImplementedError("for batch in loader")
