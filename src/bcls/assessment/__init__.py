"""Evaluating, comparing and checking saved models on data sets; Lightning is not needed."""
