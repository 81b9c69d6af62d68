"""Demonstrations on drawn scenes: three losses compared, and a collection to search."""
