"""An honest twin: the pruned model as a plan, which numpy runs."""

from tinytorch.perf.acceleration import compile_model
from tinytorch.perf.compression import prune_neurons

DIVISION, TECHNIQUES = "open", ["none"]


def optimize(model, train_data):
    model = prune_neurons(model, keep=0.5, train_data=train_data, epochs=10)
    return compile_model(model, train_data.inputs[:1], "numpy")
