"""An honest twin: so few channels and neurons that most answers are wrong."""

from tinytorch.perf.compression import prune_neurons

DIVISION, TECHNIQUES = "open", ["none"]


def optimize(model, train_data):
    return prune_neurons(model, keep=0.07, train_data=train_data, epochs=2)
