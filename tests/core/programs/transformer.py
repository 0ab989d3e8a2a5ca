"""Characters by a small GPT: tokenizer, training on what comes next, generation from a prompt."""

import numpy as np

from tinytorch.core.losses import CrossEntropyLoss
from tinytorch.core.optimizers import Adam
from tinytorch.core.tensor import Tensor
from tinytorch.core.tokenization import CharTokenizer
from tinytorch.core.transformer import GPT

text = "the cat sat on the mat. " * 4
tokenizer = CharTokenizer()
tokenizer.build_vocab([text])
tokens = np.array(tokenizer.encode(text))
model = GPT(
    vocab_size=tokenizer.vocab_size,
    embed_dim=32,
    num_layers=1,
    num_heads=2,
    max_seq_len=48,
    rng=np.random.default_rng(0),
)
optimizer, loss_fn = Adam(model.parameters(), lr=0.01), CrossEntropyLoss()
x, y = Tensor(tokens[None, :48]), tokens[1:49]
for _ in range(60):
    logits = model.forward(x)
    batch, length, classes = logits.shape
    loss = loss_fn.forward(logits.reshape(batch * length, classes), Tensor(y))
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
generated = model.generate(Tensor(np.array([tokenizer.encode("the cat")])), max_new_tokens=17, temperature=0.01)
said = tokenizer.decode(generated.data[0].astype(int).tolist())
accuracy = float(said == text[:24])
