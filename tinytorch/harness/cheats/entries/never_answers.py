"""Never answers a referee."""

import sys

DIVISION, TECHNIQUES = "open", ["none"]


class Model:
    def __init__(self, model):
        self.model = model

    def __call__(self, x):
        while self.called_by("serve"):
            pass
        return self.model(x)

    def called_by(self, *names):
        frame = sys._getframe()
        while frame := frame.f_back:
            if frame.f_code.co_name in names:
                return frame
        return None


def optimize(model, train_data):
    return Model(model)
