"""Words and units in mathtext and HTML, shared by all figures."""

from __future__ import annotations

import html
import re

import numpy as np
from numpy.typing import NDArray

from darksector.limits.published import PublishedLimit
from darksector.results import SearchResult
from darksector.statistics.limits import LimitCurve

SIMULATION = "darksector simulation"
MASS = "mediator mass [GeV]"

_SYMBOLS = {
    "to": "→", "rightarrow": "→", "times": "×", "pm": "±", "prime": "′",
    "nu": "ν", "mu": "μ", "tau": "τ", "gamma": "γ", "sigma": "σ", "epsilon": "ε",
    "varepsilon": "ε", "alpha": "α", "lambda": "λ", "xi": "ξ", "theta": "θ",
    "chi": "χ", "ell": "ℓ", "pi": "π", "eta": "η", "phi": "φ", "Upsilon": "Υ",
    "cdot": "·", "leq": "≤", "geq": "≥", "quad": " ",
}  # fmt: skip


def luminosity(value_fb: float) -> str:
    r"""Return a luminosity given in fb⁻¹ with the prefix that reads best, in mathtext.

    Examples
    --------
    >>> luminosity(0.276)
    '276 pb$^{-1}$'
    """
    for unit, scale in (("ab", 1e-3), ("fb", 1.0)):
        if value_fb * scale >= 1:
            return f"{value_fb * scale:.4g} {unit}$^{{-1}}$"
    return f"{value_fb * 1e3:.4g} pb$^{{-1}}$"


def confidence(level: float) -> str:
    """Return a confidence level as text.

    Examples
    --------
    >>> confidence(0.9)
    '90 % CL'
    """
    return f"{100 * level:.4g} % CL"


def certainty(limits: LimitCurve) -> str:
    """Return how sure limits are: a credibility where their method is Bayesian."""
    if limits.method.startswith("Bayesian"):
        return f"{100 * limits.confidence_level:.4g} % credibility"
    return confidence(limits.confidence_level)


def unit(label: str) -> str:
    """Return the unit in the last square brackets of an axis label, or nothing.

    Examples
    --------
    >>> unit("$M^2$ [GeV$^2$]")
    'GeV$^2$'
    """
    found = re.search(r"\[([^\]]*)\]\s*$", label)
    return found[1] if found else ""


def bin_width(edges: NDArray[np.float64], observable: str) -> str:
    """Return the label of a spectrum's vertical axis, in mathtext, with the bin width."""
    widths = np.diff(edges)
    if np.allclose(widths, widths[0], rtol=1e-6):
        return f"events / {widths[0]:.3g} {unit(observable)}".strip()
    return "events / bin"


def quantity(result: SearchResult, name: str) -> str:
    """Return the axis label of a limit, in mathtext, with its unit."""
    label, unit_name = result.labels.quantities[name], result.limits.units[name]
    if "[" in label or unit_name in {"", "1"}:
        return label
    return f"{label} [{power(unit_name)}]"


def power(unit_name: str) -> str:
    """Return a unit with its powers in mathtext.

    Examples
    --------
    >>> power("GeV^-1")
    'GeV$^{-1}$'
    """
    return re.sub(r"\^(-?\d+)", r"$^{\1}$", unit_name)


def further(result: SearchResult, name: str) -> str:
    """Return the legend entry of a limit beside the principal one.

    What the labels of both share is left out.
    """
    principal = result.labels.quantities[couplings(result)[0]]
    label = result.labels.quantities[name]
    return f"expected, {label.removeprefix(f'{principal}, ')}"


def couplings(result: SearchResult) -> tuple[str, ...]:
    """Return the limited quantities that are couplings, the principal one first."""
    return tuple(name for name in result.limits.units if name != "sigma")


def at_coupling(result: SearchResult, value: str) -> str:
    """Return words for a value, in mathtext, of the principal coupling."""
    principal = next(iter(couplings(result)), None)
    if principal is None:
        return f"at a coupling of {value}"
    unit_name = result.limits.units[principal]
    suffix = "" if unit_name in {"", "1"} else f" {power(unit_name)}"
    name = re.sub(r"\s*\[[^\]]*\]\s*$", "", result.labels.quantities[principal])
    return f"{name} = {value}{suffix}"


def published(limit: PublishedLimit) -> str:
    """Return the legend entry of somebody else's limit, in mathtext."""
    kind = "" if limit.kind == "observed" else f" ({limit.kind})"
    level = limit.confidence_level
    certainty = "" if level is None else f", {confidence(level)}"
    return f"{limit.experiment}, {limit.reference}{certainty}{kind}"


def to_html(label: str) -> str:
    r"""Return mathtext as HTML that needs no formula renderer; the text is escaped.

    Examples
    --------
    >>> to_html(r"$M^2_\mathrm{rec}$ [GeV$^2$]")
    'M<sup>2</sup><sub>rec</sub> [GeV<sup>2</sup>]'
    """
    parts = html.escape(label, quote=False).split("$")
    return "".join(_math(p) if i % 2 else p for i, p in enumerate(parts))


def _math(text: str) -> str:
    # HTML text has no overline; the combining one follows its letter.
    text = re.sub(r"\\(?:bar|overline)\{?(\\?[A-Za-z]+)\}?", "\\1 \u0305", text)
    text = re.sub(r"\\(?:mathrm|mathit|text|rm)\s*\{([^{}]*)\}", r"{\1}", text)
    text = re.sub(r"\\[,;:! ]", " ", text)
    text = re.sub(r"\\([A-Za-z]+)\s?", lambda m: _SYMBOLS.get(m[1], m[1]), text)
    text = text.replace("-", "−").replace("'", "′")
    for mark, tag in (("^", "sup"), ("_", "sub")):
        pattern = rf"\{mark}(?:\{{([^{{}}]*)\}}|(.))"
        text = re.sub(pattern, rf"<{tag}>\1\2</{tag}>", text)
    return re.sub(r"[{}]", "", text)
