"""Self-contained HTML pages from templates that lie beside the code."""

from __future__ import annotations

from importlib.resources import files

import jinja2
from markupsafe import Markup

from darksector.plotting import labels


def render(package: str, template: str, **values: object) -> str:
    """Return a page; a value that the template asks for and does not get is an error."""
    environment = jinja2.Environment(
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["mathtext"] = lambda text: Markup(labels.to_html(text))
    text = files(package).joinpath(template).read_text(encoding="utf-8")
    return environment.from_string(text).render(**values)
