"""Module 08 in another style: batches are cut out of a list of numbers."""

import random
from abc import ABC, abstractmethod

import numpy as np

from tinytorch.core.tensor import Tensor


class Dataset(ABC):
    @abstractmethod
    def __len__(self): ...

    @abstractmethod
    def __getitem__(self, index): ...


class TensorDataset(Dataset):
    def __init__(self, *tensors):
        if len({len(tensor.data) for tensor in tensors}) > 1:
            raise ValueError("fields have different lengths")
        self.tensors = tensors

    def __len__(self):
        return len(self.tensors[0].data)

    def __getitem__(self, index):
        return tuple(Tensor(tensor.data[index]) for tensor in self.tensors)


class DataLoader:
    def __init__(self, dataset, batch_size, shuffle=False):
        self.dataset, self.batch_size, self.shuffle = dataset, batch_size, shuffle

    def __len__(self):
        return (len(self.dataset) + self.batch_size - 1) // self.batch_size

    def __iter__(self):
        order = list(range(len(self.dataset)))
        if self.shuffle:
            random.shuffle(order)
        for start in range(0, len(order), self.batch_size):
            samples = [self.dataset[number] for number in order[start : start + self.batch_size]]
            yield tuple(Tensor(np.stack([field.data for field in fields])) for fields in zip(*samples))
