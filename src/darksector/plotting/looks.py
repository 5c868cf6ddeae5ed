"""Colours and names of detector systems and particles, whatever library draws them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import final

from darksector.errors import OutOfDomain
from darksector.particles import PDG, name_of

# tints, so that tracks stand out on all of them
FILL: Mapping[str, str] = MappingProxyType(
    {
        "beam pipe": "#8C8C8C",
        "vertex detector": "#CC79A7",
        "drift chamber": "#E4F2FB",
        "Cherenkov detectors": "#F4EB7A",
        "calorimeter": "#F5DDA6",
        "muon detector": "#E2E2E2",
    }
)
EDGE: Mapping[str, str] = MappingProxyType(
    {
        "beam pipe": "#5A5A5A",
        "vertex detector": "#A3487B",
        "drift chamber": "#8CB8D6",
        "Cherenkov detectors": "#A89B1E",
        "calorimeter": "#B98212",
        "muon detector": "#9A9A9A",
    }
)
INK = "#202020"
RECOIL = "#000000"
# Okabe & Ito's colours; e, photon and pion as in the displays of basf2, the others for
# contrast with them
_COLOURS: Mapping[int, str] = MappingProxyType(
    {
        PDG["e"]: "#0072B2",
        PDG["mu"]: "#D55E00",
        PDG["gamma"]: "#009E73",
        PDG["pi+"]: "#6E6E6E",
        PDG["K+"]: "#A3487B",
        PDG["p"]: "#B98212",
    }
)
_OTHER = "#404040"
_SYMBOLS = {
    "mu": "μ", "tau": "τ", "gamma": "γ", "pi": "π", "nu_e": "νₑ", "nu_mu": "ν_μ",
    "nu_tau": "ν_τ", "eta": "η", "rho": "ρ", "omega": "ω", "phi": "φ", "chi": "χ",
    "Upsilon": "Υ", "chi2": "χ₂",
}  # fmt: skip
_CHARGES = {"+": "⁺", "-": "⁻", "0": "⁰"}
# words of `detectors.topology.RESPONSES` and of `detectors.snapshot`
WORDS: Mapping[str, str] = MappingProxyType(
    {
        "mu": "muon track",
        "e": "electron track",
        "other track": "hadron track",
        "cluster": "cluster",
        "klm": "muon detector only",
        "converted": "converted in the tracker",
        "lost": "not seen",
        "invisible": "invisible",
        "decays": "decays",
        "not simulated": "response not simulated",
    }
)


@final
@dataclass(frozen=True)
class Look:
    """Colour of a particle and its name for people, in Unicode."""

    colour: str
    symbol: str


def look(code: int) -> Look:
    """Return how a particle is drawn and called.

    Examples
    --------
    >>> look(-13).symbol
    'μ⁺'
    """
    return Look(_COLOURS.get(abs(code), _OTHER), symbol(code))


def symbol(code: int) -> str:
    """Return the name of a particle with Greek letters and raised charges.

    Examples
    --------
    >>> symbol(-16), symbol(4900023), symbol(111)
    ('anti-ν_τ', 'A′', 'π⁰')
    """
    name = plain_name(code)
    prefix, name = ("anti-", name[5:]) if name.startswith("anti-") else ("", name)
    stem = name.rstrip("+-0")
    charge = "".join(_CHARGES[c] for c in name[len(stem) :])
    return prefix + _SYMBOLS.get(stem, stem).replace("'", "′") + charge


def plain_name(code: int) -> str:
    """Return the name of a particle in ASCII; of an unknown one, its code.

    Examples
    --------
    >>> plain_name(-13), plain_name(7)
    ('mu+', 'PDG 7')
    """
    try:
        return name_of(code)
    except OutOfDomain:
        return f"PDG {code}"
