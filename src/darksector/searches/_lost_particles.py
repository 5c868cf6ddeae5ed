"""QED processes that leave one photon, because the rest is lost: components by origin.

Where a loss needs one particle in a narrow place, a sample of its own has it there, so
that few events are enough; together the samples have everything once.
"""

from __future__ import annotations

from math import radians

from darksector.detectors.losses import ORIGINS
from darksector.phasespace.cuts import GeneratorCut
from darksector.searches.base import Background, Part, Uncertainty

TREE = "assumed: tree level; NLO over LO of two photons is 1.10 (arXiv:1808.10567)"
WIDTH = "assumed: the effective width is known from one published count only"
TRACKING = "assumed: no public number for electrons without any track"

_NLO = Uncertainty(0.1, TREE)
_NARROW = ("crack", "forward_gap", "backward_gap")
_REST = tuple(origin for origin in ORIGINS if origin not in _NARROW)
_OTHER = tuple(origin for origin in _REST if origin != "floor")
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
    _NLO,
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
            chunks=32,
            options=(("photon_energy_min", 0.02),),
            parts=(THREE,),
        ),
        *_radiative_bhabhas(seen, energy_min),
    )


def _diphotons(
    openings: dict[str, tuple[float, float]], photon: tuple[float, float]
) -> tuple[Background, ...]:
    parts = {"crack": CRACK, "forward_gap": FORWARD, "backward_gap": BACKWARD}
    narrow = tuple(
        Background(
            "diphoton",
            parts[origin].legend,
            chunks=8,
            name=parts[origin].name,
            cuts=(_theta("gamma", angles, one_is_enough=True),),
            parts=(parts[origin],),
        )
        for origin, angles in openings.items()
    )
    # a photon that is seen has its partner inside the calorimeter too
    rest = Background(
        "diphoton",
        THROUGH.legend,
        chunks=8,
        cuts=(_theta("gamma", photon, one_is_enough=True),),
        parts=(THROUGH, OTHER),
    )
    return (*narrow, rest)


def _radiative_bhabhas(seen: GeneratorCut, energy_min: float) -> tuple[Background, ...]:
    """Return e+e-γ by where the leptons go, and by the energy of the photon."""
    middle = 2 * energy_min
    soft = GeneratorCut("e_cms", ("gamma",), low=energy_min, high=middle)
    hard = GeneratorCut("e_cms", ("gamma",), low=middle)
    every = GeneratorCut("e_cms", ("gamma",), low=energy_min)
    along = {
        name: GeneratorCut("theta_beam_cms", (name,), high=_ALONG_BEAMS)
        for name in ("e-", "e+")
    }
    turned = {
        name: GeneratorCut("theta_beam_cms", (name,), low=_ALONG_BEAMS)
        for name in along
    }
    samples = {
        "bhabha_gamma_soft": (24, (soft, along["e-"], along["e+"])),
        "bhabha_gamma_hard": (48, (hard, along["e-"], along["e+"])),
        "bhabha_gamma_electron": (24, (every, turned["e-"])),
        "bhabha_gamma_positron": (24, (every, along["e-"], turned["e+"])),
    }
    return tuple(
        Background(
            "bhabha_gamma",
            OUTSIDE.legend,
            chunks=chunks,
            name=name,
            # half of the smallest energy: radiation of the beams boosts the photon
            options=(("photon_energy_min", round(energy_min / 10, 3)),),
            cuts=(seen, *cuts),
            parts=(OUTSIDE, INSIDE),
        )
        for name, (chunks, cuts) in samples.items()
    )


def bhabhas(openings: dict[str, tuple[float, float]]) -> tuple[Background, ...]:
    """Return e+e- with one lepton lost and the other one, without a track, alone.

    Parameters
    ----------
    openings
        As in `lost_particles`.
    """
    part = Part(
        "bhabha",
        r"$e^+e^-$, $e$ without track",
        (),
        Uncertainty(0.5, TRACKING),
    )
    narrow = tuple(
        Background(
            "bhabha",
            part.legend,
            chunks=4,
            name=f"bhabha_{lepton}_{origin}",
            cuts=(_theta({"electron": "e-", "positron": "e+"}[lepton], angles),),
            parts=(Part(part.name, part.legend, (origin,), part.uncertainty),),
        )
        for lepton in ("electron", "positron")
        for origin, angles in openings.items()
    )
    rest = Background(
        "bhabha",
        part.legend,
        chunks=4,
        parts=(Part(part.name, part.legend, _REST, part.uncertainty),),
    )
    return (*narrow, rest)


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
