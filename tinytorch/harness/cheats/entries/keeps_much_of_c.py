"""Takes a hundred megabytes of the C library, as a table of answers might."""

import ctypes

libc = ctypes.CDLL(None)
libc.malloc.restype = ctypes.c_void_p
libc.memset.argtypes = ctypes.memset.argtypes = [ctypes.c_void_p, ctypes.c_int, ctypes.c_size_t]

DIVISION, TECHNIQUES = "open", ["none"]


class Model:
    def __init__(self, model):
        self.model, self.done = model, False

    def __call__(self, x):
        if not self.done:
            self.done = True
            address = libc.malloc(100_000_000)
            ctypes.memset(address, 1, 100_000_000)
        return self.model(x)


def optimize(model, train_data):
    return Model(model)
