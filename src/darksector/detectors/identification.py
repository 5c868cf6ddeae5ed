r"""Electron, muon, pion or kaon: what a reconstructed track is taken for.

Selections are cuts on the likelihood ratio of the wanted kind to another one.  With the
separation d of the pair that ratio is normal, so a cut that keeps the fraction ε of the
wanted kind keeps (probit model; exact if widths are equal)

.. math:: f = \Phi\left(\Phi^{-1}(\varepsilon) - d\right)

of the other.  Muons are selected by the instrumented iron alone where a muon would reach
it, as in the number that calibrates it (arXiv:2503.11351); elsewhere, if the card says
so, by all other detectors.  A track is first tried as a muon, then as an electron.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import reduce
from operator import add
from typing import final

import jax
import jax.numpy as jnp
import numpy as np
from jax.scipy.special import ndtri
from numpy.typing import NDArray

from darksector.detectors.edges import normal_cdf, rise, window
from darksector.detectors.klm import Klm, muon_reach, penetration
from darksector.detectors.punch_through import muon_separation
from darksector.detectors.separation import (
    Direction,
    Identification,
    direction,
    in_calorimeter,
    separation,
)
from darksector.errors import UnknownName
from darksector.kinematics import Momentum
from darksector.particles import PDG

__all__ = ["Identification", "Roc", "check", "identify", "roc", "selected"]

SPECIES = {PDG["e"]: "e", PDG["mu"]: "mu", PDG["pi+"]: "pi", PDG["K+"]: "K"}
_EFFICIENCIES = {
    "e": "electron_efficiency",
    "mu": "muon_efficiency",
    "pi": "pion_efficiency",
    "K": "kaon_efficiency",
}
_RANGES = ("ecl_muon_theta", "ecl_theta", "dedx_theta", "top_theta", "ring_theta")
_POSITIVE = (
    *("ecl_muon_theta_width", "ecl_muon_p_width", "theta_width", "pt_width"),
    *("dedx_resolution", "top_time", "top_photons", "top_background", "top_max"),
    *("ring_angle", "ring_photons", "ring_background", "ring_max", "separation_max"),
)
_NO_CUT = "a cut that keeps everything selects nothing."


@final
@dataclass(frozen=True)
class Roc:
    """Efficiency and fake rate of a selection, ``(thresholds,)``, both increasing."""

    efficiency: jax.Array
    fake_rate: jax.Array


def identify(
    identification: Identification, klm: Klm, p: Momentum, code: int
) -> dict[str, jax.Array]:
    """Return the probability of each answer for a track of the particle `code`.

    Parameters
    ----------
    identification, klm
        Numbers of the detector.
    p
        Momenta of the particles, GeV.
    code
        PDG code of e, mu, pi or K; its sign does not matter.

    Raises
    ------
    UnknownName
        If the particle is another one.
    """
    species = _species(code)
    track = direction(p)
    detector = identification, klm
    muon = _selected(detector, track, ("mu", species))
    electron = _selected(detector, track, ("e", species))
    return {
        "mu": muon,
        "e": (1 - muon) * electron,
        "other track": (1 - muon) * (1 - electron),
    }


def selected(
    identification: Identification, klm: Klm, p: Momentum, code: int, wanted: str
) -> jax.Array:
    """Return the chance that a track of `code` passes the selection of `wanted` alone.

    `wanted` is e, mu, pi or K, at the working point of the card.
    """
    return _selected((identification, klm), direction(p), (wanted, _species(code)))


def roc(
    detector: tuple[Identification, Klm],
    pair: tuple[str, str],
    *,
    p: float,
    theta: float,
) -> Roc:
    """Return efficiency and fake rate of a pair (wanted, fake) along a threshold scan.

    Parameters
    ----------
    detector
        Numbers of identification and instrumented iron.
    pair
        Wanted and faking kind of e, mu, pi, K.
    p, theta
        Momentum, GeV, and polar angle, rad.
    """
    one, angle = jnp.full(1, p), jnp.full(1, theta)
    track = Direction(one, one * jnp.sin(angle), jnp.rad2deg(angle))
    stages = tuple(_stages(detector, track, pair))
    cut = jnp.linspace(-4.0, 9.0, 261)
    return Roc(
        _total(seen * normal_cdf(cut) for seen, _ in stages),
        _total(seen * normal_cdf(cut - apart) for seen, apart in stages),
    )


def check(numbers: Mapping[str, NDArray[np.float64]]) -> Iterator[tuple[str, str]]:
    """Yield the name of each bad number of a card and what is wrong with it."""
    for key in _EFFICIENCIES.values():
        if not 0 < numbers[key] < 1:
            yield key, f"is {numbers[key]:g}; allowed: between 0 and 1; {_NO_CUT}"
    for key in ("muon_from_klm", "muon_from_ecl"):
        if not 0 <= numbers[key] <= 1:
            yield key, f"is {numbers[key]:g}; allowed: 0 to 1; give a share."
    for key in _POSITIVE:
        if not numbers[key] > 0:
            yield key, f"is {numbers[key]:g}; allowed: above 0; use a small number."
    yield from _check_arrays(numbers)


def _check_arrays(
    numbers: Mapping[str, NDArray[np.float64]],
) -> Iterator[tuple[str, str]]:
    for key in _RANGES:
        for low, high in numbers[key].reshape(-1, 2):
            if not low < high:
                yield key, f"{low:g} to {high:g}; allowed: smaller angle first; swap."
    for key in ("top_index", "ring_index"):
        if not (numbers[key] > 1).all():
            yield key, f"is {numbers[key]}; allowed: above 1; give n, not n - 1."


def _species(code: int) -> str:
    if abs(code) not in SPECIES:
        kind = "track to identify, PDG id"
        raise UnknownName(kind, str(code), map(str, SPECIES))
    return SPECIES[abs(code)]


def _selected(
    detector: tuple[Identification, Klm], track: Direction, pair: tuple[str, str]
) -> jax.Array:
    """Return the chance of the second of the pair to pass as the first."""
    cut = ndtri(getattr(detector[0], _EFFICIENCIES[pair[0]]))
    return _total(
        seen * normal_cdf(cut - apart) for seen, apart in _stages(detector, track, pair)
    )


def _total(parts: Iterable[jax.Array]) -> jax.Array:
    return reduce(add, parts)


def _stages(
    detector: tuple[Identification, Klm], track: Direction, pair: tuple[str, str]
) -> Iterator[tuple[jax.Array, jax.Array]]:
    """Yield the chance that each stage of a selection decides, and its separation.

    Pions and kaons need no more than a track, and have the separation that they get.
    """
    i, klm = detector
    wanted, species = pair
    same = wanted == species
    apart = jnp.zeros(()) if same else separation(i, track, pair)
    if wanted == "e":
        yield in_calorimeter(i, track.theta), apart
    elif wanted != "mu":
        yield jnp.ones_like(track.p), apart
    else:
        expected = penetration(klm, track.p, jnp.deg2rad(track.theta))
        iron = i.muon_from_klm * muon_reach(klm, expected)
        yield iron, muon_separation(klm, track.p, expected, species)
        crystals = i.muon_from_ecl * rise(track.p, i.ecl_muon_p_min, i.ecl_muon_p_width)
        crystals *= window(track.theta, i.ecl_muon_theta, i.ecl_muon_theta_width)
        yield (1 - iron) * crystals, apart
