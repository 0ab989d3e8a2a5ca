"""An honest twin: the baseline, called by a class of its own."""

DIVISION, TECHNIQUES = "open", ["none"]


class Model:
    def __init__(self, model):
        self.model = model

    def __call__(self, x):
        return self.model(x)


def optimize(model, train_data):
    return Model(model)
