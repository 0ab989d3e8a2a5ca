"""My entry in the Torch Olympics."""

from tinytorch.perf.compression import prune_neurons

TECHNIQUES = ["Structured Pruning"]  # name what you use
DIVISION = "closed"  # starts from the baseline's weights and keeps its kinds of layers; otherwise "open"


def optimize(model, train_data):
    """The model that competes, made from the trained baseline; train_data has .inputs and .labels.

    Ideas: keep fewer neurons until accuracy suffers; tinytorch.perf.quantization.quantize_model for int8 weights;
    tinytorch.perf.acceleration.compile_model for a plan that runs as one call.
    """
    return prune_neurons(model, keep=256, train_data=train_data)
