"""2017: a transformer learns a verse, character by character, and writes it from its first words.

Attention lets every character look at all before it; training asks at every place for the next one, all at once.
"""

from __future__ import annotations

import numpy as np

from tinytorch import GPT, Adam, CharTokenizer, CrossEntropyLoss, Tensor
from tinytorch.progress import Progress

VERSE = (
    "a model that was never weighed is light as anybody says; "
    "a model that was never timed is fast on all the other days."
)
PROMPT = 12
STEPS = 150


def run(progress: Progress) -> float:
    """Train it on the verse; the share of characters that it then writes right, one after the other."""
    tokenizer = CharTokenizer()
    tokenizer.build_vocab([VERSE])
    tokens = np.array([tokenizer.encode(VERSE)])
    model = trained(tokens, tokenizer.vocab_size, progress)
    written = model.generate(Tensor(tokens[:, :PROMPT]), max_new_tokens=len(VERSE) - PROMPT, temperature=0)
    return float((np.asarray(written.data) == tokens)[:, PROMPT:].mean())


def trained(tokens: np.ndarray, vocab_size: int, progress: Progress) -> GPT:
    """A GPT that has learned what comes next in `tokens` (1, T)."""
    model = GPT(vocab_size, 48, num_layers=2, num_heads=4, max_seq_len=tokens.size, rng=np.random.default_rng(0))
    optimizer, loss_of = Adam(model.parameters(), lr=0.005), CrossEntropyLoss()
    for step in range(STEPS):
        optimizer.zero_grad()
        scores = model(Tensor(tokens[:, :-1]))
        loss_of(scores.reshape(-1, vocab_size), Tensor(tokens[0, 1:])).backward()
        optimizer.step()
        progress("learn", (step + 1) / STEPS)
    model.eval()
    return model
