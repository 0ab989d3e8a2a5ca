"""Module 06 in another style: each parameter has a state of its own, in a dict by its identity."""

import numpy as np


class Optimizer:
    def __init__(self, params, lr):
        self.params, self.lr = list(params), lr
        self.state = {id(parameter): {} for parameter in self.params}

    def zero_grad(self):
        for parameter in self.params:
            parameter.grad = None

    def step(self):
        for parameter in self.params:
            if parameter.grad is not None:
                weight, gradient = parameter.data, np.asarray(parameter.grad)
                parameter.data = np.float32(weight - self.change(weight, gradient, self.state[id(parameter)]))


class SGD(Optimizer):
    def __init__(self, params, lr=0.01, momentum=0.0, weight_decay=0.0):
        super().__init__(params, lr)
        self.momentum, self.weight_decay = momentum, weight_decay

    def change(self, weight, gradient, state):
        gradient = gradient + self.weight_decay * weight
        state["velocity"] = self.momentum * state.get("velocity", 0) + gradient
        return self.lr * state["velocity"]


class Adam(Optimizer):
    def __init__(self, params, lr=0.001, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0):
        super().__init__(params, lr)
        self.betas, self.eps, self.weight_decay = betas, eps, weight_decay

    def change(self, weight, gradient, state):
        return self.adaptive(gradient + self.weight_decay * weight, state)

    def adaptive(self, gradient, state):
        state["t"] = t = state.get("t", 0) + 1
        for name, beta, value in (("m", self.betas[0], gradient), ("v", self.betas[1], gradient**2)):
            state[name] = beta * state.get(name, 0) + (1 - beta) * value
        mean, square = state["m"] / (1 - self.betas[0] ** t), state["v"] / (1 - self.betas[1] ** t)
        return self.lr * mean / (np.sqrt(square) + self.eps)


class AdamW(Adam):
    def change(self, weight, gradient, state):
        return self.adaptive(gradient, state) + self.lr * self.weight_decay * weight
