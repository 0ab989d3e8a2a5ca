"""Makes a million objects, so that whoever collects garbage waits."""

DIVISION, TECHNIQUES = "open", ["none"]


class Model:
    def __init__(self, model):
        self.model, self.held = model, []

    def __call__(self, x):
        if not self.held:
            self.held = [[number] for number in range(300_000)]
            Model.more = [[number] for number in range(300_000)]
        return self.model(x)


def optimize(model, train_data):
    return Model(model)
