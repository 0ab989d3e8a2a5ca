"""Has the library for products take two processor cores."""

from threadpoolctl import threadpool_limits

DIVISION, TECHNIQUES = "open", ["none"]


class Model:
    def __init__(self, model):
        self.model, self.done = model, False

    def __call__(self, x):
        if not self.done:
            self.done = True
            threadpool_limits(2)
        return self.model(x)


def optimize(model, train_data):
    return Model(model)
