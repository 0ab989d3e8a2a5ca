"""Six small programs from the history of the field, on our own framework and data. Light."""

from __future__ import annotations

from dataclasses import dataclass

from tinytorch.errors import UsageError
from tinytorch.showing import nearest


@dataclass(frozen=True)
class Milestone:
    """One program, `run` in the module `home`, which gives the figure that it reached.

    It is given an observer of its progress where it `trains`; the one that does not is the competition itself.
    `needs` are names of modules of the course whose work it stands on.
    """

    number: int
    name: str
    title: str
    metric: str
    needs: tuple[str, ...]
    trains: bool = True

    @property
    def label(self) -> str:
        """`01 perceptron`."""
        return f"{self.number:02} {self.name}"

    @property
    def home(self) -> str:
        """Where the program is."""
        return f"tito.course.milestones.{self.name}"


_LAYERS = ("tensor", "activations", "layers", "losses", "autograd", "optimizers")
MILESTONES = (
    Milestone(1, "perceptron", "1958: a machine that learns a line (Rosenblatt)", "accuracy", _LAYERS),
    Milestone(2, "xor", "1969: what no line can do (Minsky & Papert), and a hidden layer can", "accuracy", _LAYERS),
    Milestone(3, "digits", "1986: handwritten digits by backpropagation (Rumelhart, Hinton & Williams)", "accuracy",
              (*_LAYERS, "training", "dataloader")),
    Milestone(4, "convolution", "1998: the same digits as pictures (LeCun et al.)", "accuracy",
              (*_LAYERS, "training", "dataloader", "spatial")),
    Milestone(5, "tinygpt", "2017: a transformer that writes (Vaswani et al.)", "accuracy",
              (*_LAYERS, "tokenization", "embeddings", "attention", "transformers")),
    Milestone(6, "olympics", "The Torch Olympics: faster, smaller, measured, handed in", "all_around",
              ("quantization", "compression", "acceleration", "benchmarking", "capstone"), trains=False),
)  # fmt: skip


def find_milestone(text: str) -> Milestone:
    """The milestone of that number or name; UsageError with the nearest."""
    wanted = text.strip().lower()
    for milestone in MILESTONES:
        if wanted == milestone.name or (wanted.isdecimal() and int(wanted) == milestone.number):
            return milestone
    mend = nearest(wanted, [milestone.name for milestone in MILESTONES])
    raise UsageError(f"there is no milestone {text!r}", mend=f"{mend}, or give a number from 1 to {len(MILESTONES)}")
