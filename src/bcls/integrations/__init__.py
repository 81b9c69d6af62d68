"""BCLS in other people's code: one file a library, and nothing in it but the glue.

Import the file of the library that you use, e.g. `from bcls.integrations.torchmetrics import RetrievalMetrics`. None is
imported from here, since each needs its library.
"""
