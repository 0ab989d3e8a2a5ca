"""Starts another process that computes for it on another core."""

import os
import time

DIVISION, TECHNIQUES = "open", ["none"]


class Model:
    def __init__(self, model):
        self.model = model

    def __call__(self, x):
        if not self.started:
            type(self).started = True
            if os.fork() == 0:
                while True:
                    time.sleep(0.01)
        return self.model(x)

    started = False


def optimize(model, train_data):
    return Model(model)
