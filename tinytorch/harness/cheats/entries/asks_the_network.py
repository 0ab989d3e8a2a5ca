"""Asks a machine elsewhere for the answers."""

import socket

DIVISION, TECHNIQUES = "open", ["none"]


class Model:
    def __init__(self, model):
        self.model = model

    def __call__(self, x):
        with socket.create_connection(("127.0.0.1", 9), 0.2) as other:
            other.send(x.data.tobytes())
        return self.model(x)


def optimize(model, train_data):
    return Model(model)
