"""Module 07 (08 in the newer edition): the training loop.

Test it:  tito module test training
"""

import numpy as np


class CosineSchedule:
    """From max_lr down to min_lr along half a cosine in total_epochs."""

    def __init__(self, max_lr=0.1, min_lr=0.01, total_epochs=100):
        raise NotImplementedError("CosineSchedule(...)")

    def get_lr(self, epoch):
        raise NotImplementedError("get_lr")


def clip_grad_norm(parameters, max_norm=1.0):
    """Shorten all gradients together when their common length is above max_norm; return the length as it was."""
    raise NotImplementedError("clip_grad_norm")


class Trainer:
    def __init__(self, model, optimizer, loss_fn, scheduler=None, grad_clip_norm=None):
        raise NotImplementedError("Trainer(...)")

    def train_epoch(self, dataloader, accumulation_steps=1):
        """For each batch (inputs, labels): forward, loss, backward, clip, step, zero_grad. Returns the mean loss.

        The model is told that it is trained (set_training_mode of module 03), and the scheduler, if there is one, gives
        the epoch's optimizer.lr. With accumulation_steps so many batches make one step.
        """
        raise NotImplementedError("train_epoch")

    def evaluate(self, dataloader):
        """Mean loss and share of right answers, with dropout off and no weight changed: (loss, accuracy).

        The model is told that it is not trained, and afterwards that it is.
        """
        raise NotImplementedError("evaluate")

    def save_checkpoint(self, path):
        raise NotImplementedError("save_checkpoint")

    def load_checkpoint(self, path):
        raise NotImplementedError("load_checkpoint")
