"""Analyses: one file per search, a declaration and its cuts."""
