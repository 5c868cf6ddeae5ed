"""QED processes that leave one photon, because the rest is lost: components by origin.

Where a loss needs one particle in a narrow place, a sample of its own has it there, so
that few events are enough; together the samples have everything once.
"""

from __future__ import annotations

from math import inf, radians

from darksector.detectors.losses import ORIGINS
from darksector.phasespace.cuts import GeneratorCut
from darksector.searches.base import Background, Part
from darksector.statistics.systematics import Uncertainty

TREE = "assumed: tree level; NLO over LO of two photons is 1.10 (arXiv:1808.10567)"
WIDTH = "assumed: the effective width is known from one published count only"
TRACKING = "assumed: no public number for electrons without any track"

_NLO = Uncertainty(0.1, TREE)
_NARROW = ("crack", "forward_gap", "backward_gap")
_REST = tuple(origin for origin in ORIGINS if origin not in _NARROW)
_OTHER = tuple(origin for origin in _REST if origin != "floor")
_MIDDLE = (35.0, 121.0)  # degrees: without the partners of photons lost in the gaps
_HARD = 2.8  # GeV
_ALONG_BEAMS = 0.36  # rad in the cms: beyond, leptons may be inside the acceptance

CRACK = Part(
    "diphoton_crack", r"$\gamma\gamma$, 90° crack", ("crack",), Uncertainty(0.2, WIDTH)
)
FORWARD = Part(
    "diphoton_forward_gap", r"$\gamma\gamma$, forward gap", ("forward_gap",), _NLO
)
BACKWARD = Part(
    "diphoton_backward_gap", r"$\gamma\gamma$, backward gap", ("backward_gap",), _NLO
)
THROUGH = Part(
    "diphoton_no_conversion", r"$\gamma\gamma$, no conversion", ("floor",), _NLO
)
OTHER = Part("diphoton_elsewhere", r"$\gamma\gamma$, elsewhere", _OTHER, _NLO)
THREE = Part("triphoton", r"$\gamma\gamma\gamma$, two lost", (), _NLO)
OUTSIDE = Part(
    "bhabha_gamma_outside", r"$e^+e^-\gamma$, both outside", ("outside",), _NLO
)
INSIDE = Part(
    "bhabha_gamma_inside",
    r"$e^+e^-\gamma$, one lost inside",
    tuple(origin for origin in ORIGINS if origin != "outside"),
    Uncertainty(0.5, TRACKING),
)


def lost_particles(
    *,
    openings: dict[str, tuple[float, float]],
    photon: tuple[float, float],
    energy_min: float,
) -> tuple[Background, ...]:
    """Return the backgrounds to one photon.

    Parameters
    ----------
    openings
        Origin, of ``crack``, ``forward_gap`` and ``backward_gap``, to angles around it in
        which particles may be lost, degrees; an absent one has no opening.
    photon
        Angles in which the photon may be seen, with a margin, degrees.
    energy_min
        Smallest E* of the photon, GeV, with a margin.
    """
    seen = _theta("gamma", photon)
    return (
        *_diphotons(openings, photon),
        Background(
            "triphoton",
            THREE.legend,
            chunks=16,
            options=(("photon_energy_min", 0.02),),
            cuts=(
                _theta("gamma", photon, one_is_enough=True),
                GeneratorCut("e_cms", ("gamma",), low=energy_min, one_is_enough=True),
            ),
            parts=(THREE,),
        ),
        *_radiative_bhabhas(seen, energy_min),
    )


def _diphotons(
    openings: dict[str, tuple[float, float]], photon: tuple[float, float]
) -> tuple[Background, ...]:
    near = _theta("gamma", _MIDDLE, one_is_enough=True)
    sides: dict[str, dict[str, tuple[int, tuple[GeneratorCut, ...]]]] = {
        "crack": {"": (10, ())},
        "forward_gap": {"": (24, (near,)), "_peak": (4, (_beyond(photon, 1),))},
        "backward_gap": {"": (28, (near,)), "_peak": (4, (_beyond(photon, 0),))},
    }
    parts = {"crack": CRACK, "forward_gap": FORWARD, "backward_gap": BACKWARD}
    narrow = tuple(
        Background(
            "diphoton",
            parts[origin].legend,
            chunks=chunks,
            name=parts[origin].name + suffix,
            cuts=(_theta("gamma", angles, one_is_enough=True), *cuts),
            parts=(parts[origin],),
        )
        for origin, angles in openings.items()
        for suffix, (chunks, cuts) in sides[origin].items()
    )
    rest = Background(
        "diphoton",
        THROUGH.legend,
        chunks=4,
        cuts=(_theta("gamma", photon, one_is_enough=True),),
        parts=(THROUGH, OTHER),
    )
    return (*narrow, rest)


def _beyond(photon: tuple[float, float], side: int) -> GeneratorCut:
    """Return a photon on one side of the middle: the partner of one in the other gap."""
    ends = (photon[0], _MIDDLE[0]) if side == 0 else (_MIDDLE[1], photon[1])
    return _theta("gamma", ends, one_is_enough=True)


def _radiative_bhabhas(seen: GeneratorCut, energy_min: float) -> tuple[Background, ...]:
    """Return e+e-γ by where the leptons go, and by the energy of the photon."""

    def energies(low: float, high: float = inf) -> GeneratorCut:
        return GeneratorCut("e_cms", ("gamma",), low=low, high=high)

    along = {
        name: GeneratorCut("theta_beam_cms", (name,), high=_ALONG_BEAMS)
        for name in ("e-", "e+")
    }
    turned = {
        name: GeneratorCut("theta_beam_cms", (name,), low=_ALONG_BEAMS)
        for name in along
    }
    middle = 2 * energy_min
    samples = {
        "soft": (4, (energies(energy_min, middle), *along.values())),
        "middle": (20, (energies(middle, _HARD), *along.values())),
        "hard": (12, (energies(_HARD), *along.values())),
        "soft_electron": (6, (energies(energy_min, _HARD), turned["e-"])),
        "hard_electron": (8, (energies(_HARD), turned["e-"])),
        "soft_positron": (
            6,
            (energies(energy_min, _HARD), along["e-"], turned["e+"]),
        ),
        "hard_positron": (8, (energies(_HARD), along["e-"], turned["e+"])),
    }
    return tuple(
        Background(
            "bhabha_gamma",
            OUTSIDE.legend,
            chunks=chunks,
            name=f"bhabha_gamma_{name}",
            # half of the smallest energy: radiation of the beams boosts the photon
            options=(("photon_energy_min", round(energy_min / 10, 3)),),
            cuts=(seen, *cuts),
            parts=(OUTSIDE, INSIDE),
        )
        for name, (chunks, cuts) in samples.items()
    )


def bhabhas() -> Background:
    """Return e+e- with one lepton lost and the other one, without a track, alone."""
    return Background(
        "bhabha",
        r"$e^+e^-$, $e$ without track",
        chunks=4,
        options=(("angle_min", 0.2),),  # rad: closer to the beams, both are lost
        uncertainty=Uncertainty(0.5, TRACKING),
    )


def _theta(
    name: str, degrees: tuple[float, float], *, one_is_enough: bool = False
) -> GeneratorCut:
    low, high = degrees
    return GeneratorCut(
        "theta_lab",
        (name,),
        low=radians(low),
        high=radians(high),
        one_is_enough=one_is_enough,
    )
