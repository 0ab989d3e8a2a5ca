"""Module 10 in another style: a vocabulary is a list, and merges are replaced in a string of pieces."""

from collections import Counter

UNKNOWN, END = "<unk>", "</w>"


class CharTokenizer:
    def __init__(self, vocab=None):
        self.pieces = [UNKNOWN, *(vocab or [])]

    @property
    def vocab_size(self):
        return len(self.pieces)

    def build_vocab(self, corpus):
        self.pieces = [UNKNOWN, *sorted({*"".join(corpus)})]

    def encode(self, text):
        return [self.pieces.index(letter) if letter in self.pieces else 0 for letter in text]

    def decode(self, tokens):
        return "".join(self.pieces[token] for token in tokens)


def merged(pieces, pair):
    out = []
    for piece in pieces:
        if out and (out[-1], piece) == pair:
            out[-1] += piece
        else:
            out.append(piece)
    return out


class BPETokenizer:
    def __init__(self, vocab_size=1000):
        self.vocab_size, self.pieces, self.merges = vocab_size, [UNKNOWN], []

    def train(self, corpus, vocab_size=None):
        words = Counter(word for text in corpus for word in text.split())
        split = {word: [*word, END] for word in words}
        self.pieces = [UNKNOWN, *sorted({piece for pieces in split.values() for piece in pieces})]
        while len(self.pieces) < (vocab_size or self.vocab_size):
            pairs = Counter()
            for word, pieces in split.items():
                for pair in zip(pieces, pieces[1:]):
                    pairs[pair] += words[word]
            if not pairs:
                break
            best = pairs.most_common(1)[0][0]
            self.merges.append(best)
            self.pieces.append("".join(best))
            split = {word: merged(pieces, best) for word, pieces in split.items()}

    def encode(self, text):
        tokens = []
        for word in text.split():
            pieces = [*word, END]
            for pair in self.merges:
                pieces = merged(pieces, pair)
            tokens += [self.pieces.index(piece) if piece in self.pieces else 0 for piece in pieces]
        return tokens

    def decode(self, tokens):
        return "".join(self.pieces[token] for token in tokens).replace(END, " ").strip()
