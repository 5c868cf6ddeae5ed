"""Figures; the only part of the package that imports a plotting library."""
