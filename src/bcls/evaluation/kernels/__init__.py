"""Compiled inner loops of the evaluation. Each has a numpy way beside its caller, which is its oracle.

Loaded only where a task is large enough, see `bcls.evaluation.compiled`. They check nothing: their callers do.
"""
