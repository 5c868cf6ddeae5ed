"""Sphinx configuration."""

from __future__ import annotations

from importlib.metadata import version as installed

project = "darksector"
author = "The darksector developers"
copyright = "2026, " + author
version = release = installed("darksector")

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.mathjax",
    "sphinx.ext.napoleon",
    "sphinx.ext.viewcode",
]
myst_enable_extensions = ["dollarmath"]
autodoc_typehints = "none"
napoleon_attr_annotations = False  # "*n k 4" of an array is no markup
exclude_patterns = ["_build", "validation_notes.md", "machine_head.md"]
html_extra_path = ["displays"]  # the page of an event; make docs draws it
html_theme = "furo"
html_title = "darksector"
