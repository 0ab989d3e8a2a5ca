"""Module 07 in another style: checkpoints are arrays in a file of numpy's, and an epoch is a generator of losses."""

import math

import numpy as np

from tinytorch.core.layers import set_training_mode


class CosineSchedule:
    def __init__(self, max_lr=0.1, min_lr=0.01, total_epochs=100):
        self.max_lr, self.min_lr, self.total_epochs = max_lr, min_lr, total_epochs

    def get_lr(self, epoch):
        way = min(epoch / self.total_epochs, 1)
        return self.min_lr + (self.max_lr - self.min_lr) * math.cos(math.pi * way / 2) ** 2


def clip_grad_norm(parameters, max_norm=1.0):
    gradients = [np.asarray(parameter.grad) for parameter in parameters if parameter.grad is not None]
    length = math.sqrt(sum(float((gradient**2).sum()) for gradient in gradients))
    if length > max_norm:
        for gradient in gradients:
            gradient *= max_norm / length
    return length


class Trainer:
    def __init__(self, model, optimizer, loss_fn, scheduler=None, grad_clip_norm=None):
        self.model, self.optimizer, self.loss_fn = model, optimizer, loss_fn
        self.scheduler, self.grad_clip_norm, self.epoch = scheduler, grad_clip_norm, 0

    def train_epoch(self, dataloader, accumulation_steps=1):
        set_training_mode(self.model, True)
        if self.scheduler is not None:
            self.optimizer.lr = self.scheduler.get_lr(self.epoch)
        losses = list(self.steps(list(dataloader), accumulation_steps))
        self.epoch += 1
        return sum(losses) / len(losses)

    def steps(self, batches, together):
        self.optimizer.zero_grad()
        for number, (inputs, targets) in enumerate(batches, 1):
            loss = self.loss_fn(self.model.forward(inputs), targets)
            (loss * (1 / together)).backward()
            if number % together == 0 or number == len(batches):
                if self.grad_clip_norm is not None:
                    clip_grad_norm(self.model.parameters(), self.grad_clip_norm)
                self.optimizer.step()
                self.optimizer.zero_grad()
            yield float(loss.data)

    def evaluate(self, dataloader):
        set_training_mode(self.model, False)
        losses, right, count = [], 0, 0
        for inputs, targets in dataloader:
            scores = self.model.forward(inputs)
            losses.append(float(self.loss_fn(scores, targets).data))
            if scores.shape[-1] > 1:
                right += int((scores.data.argmax(axis=-1) == targets.data).sum())
            count += len(targets.data)
        set_training_mode(self.model, True)
        return sum(losses) / len(losses), right / count

    def save_checkpoint(self, path):
        with open(path, "wb") as file:
            np.savez(file, *[parameter.data for parameter in self.model.parameters()])

    def load_checkpoint(self, path):
        with np.load(path) as kept:
            for parameter, name in zip(self.model.parameters(), kept.files):
                parameter.data = np.array(kept[name])
