"""Module 10: text to numbers and back.

Test it:  tito module test tokenization
"""


class CharTokenizer:
    """A token for each character that the texts have, and one for all others."""

    def __init__(self, vocab=None):
        raise NotImplementedError("CharTokenizer(...)")

    def build_vocab(self, corpus):
        """Take the characters of a list of texts; vocab_size says how many tokens there are."""
        raise NotImplementedError("build_vocab")

    def encode(self, text):
        """A list of tokens."""
        raise NotImplementedError("encode")

    def decode(self, tokens):
        """The text."""
        raise NotImplementedError("decode")


class BPETokenizer:
    """Byte pair encoding: begin with characters, and again and again make one token of the pair that comes most often.

    Mark the end of a word, or "low" and "lowest" will be merged across a space.
    """

    def __init__(self, vocab_size=1000):
        raise NotImplementedError("BPETokenizer(...)")

    def train(self, corpus, vocab_size=None):
        """Learn the merges from a list of words."""
        raise NotImplementedError("train")

    def encode(self, text):
        raise NotImplementedError("encode")

    def decode(self, tokens):
        raise NotImplementedError("decode")
