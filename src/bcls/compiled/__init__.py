"""How plain functions over arrays become machine code, and the sort that they share.

With the extra `fast` numba compiles them, keeps the machine code on disk for the next process, and runs it without
Python's lock, so that threads share the work. Without numba they stay Python: right, and far too slow to be called.
"""
