"""Prints a line for every answer, which would fill a pipe that nobody reads."""

DIVISION, TECHNIQUES = "open", ["none"]


class Model:
    def __init__(self, model):
        self.model = model

    def __call__(self, x):
        print("x" * 200, flush=True)
        return self.model(x)


def optimize(model, train_data):
    return Model(model)
