"""The tiny data set and the words of a run on it."""

from tiny_runs import tiny_data, words

__all__ = ["tiny_data", "words"]
