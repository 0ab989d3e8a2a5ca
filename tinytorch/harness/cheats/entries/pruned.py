"""An honest twin: the baseline with half of its channels and neurons, fine-tuned."""

from tinytorch.perf.compression import prune_neurons

DIVISION, TECHNIQUES = "open", ["none"]


def optimize(model, train_data):
    return prune_neurons(model, keep=0.5, train_data=train_data, epochs=10)
