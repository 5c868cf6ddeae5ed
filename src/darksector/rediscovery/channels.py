"""The rediscoveries: what is plotted, in which range, and how it is fitted."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from darksector.machines import Machine
from darksector.particles import MASS
from darksector.rediscovery import dileptons, dimuons, pions
from darksector.rediscovery.sample import Sample, Setup

Generate = Callable[[Machine, int], Any]
Look = Callable[[Any, Setup], Mapping[str, Sample]]


@final
@dataclass(frozen=True)
class Peak:
    """How a channel is fitted.

    Parameters
    ----------
    truth
        Where a perfect detector would see the peak, in the unit of the observable.
    degree
        Of the polynomial background; None for none.
    scale, unit
        Results are quoted as this factor times the observable, in this unit.
    """

    truth: float
    degree: int | None
    scale: float
    unit: str


@final
@dataclass(frozen=True)
class Channel:
    """One spectrum.

    Parameters
    ----------
    title
        The process, in mathtext.
    label
        Label of the axis with its unit, in mathtext.
    low, high, bins
        Range and number of bins.
    generate
        Machine and seed to generated events; channels with the same one share them.
    look
        Generated events to the observable by component, ``signal`` first.
    selection
        What is asked of a candidate, in words for people, in mathtext.
    peak
        How it is fitted; None where it is only shown.
    flat
        Number of the sample card with the assumed pairs per MeV and fb⁻¹; may be empty.
    smooth
        Components without structure, of which a straight line replaces the simulation.
    """

    title: str
    label: str
    low: float
    high: float
    bins: int
    generate: Generate
    look: Look
    selection: str
    peak: Peak | None = None
    flat: str = ""
    smooth: frozenset[str] = frozenset()

    @property
    def edges(self) -> NDArray[np.float64]:
        """Bin edges, ``(bins + 1,)``, in the unit of the observable."""
        return np.linspace(self.low, self.high, self.bins + 1)


_DILEPTON = r"$p^*_{\ell\ell} < 2$ GeV/$c$, third track"
_DIMUON = r"$E^*_\gamma > 1$ GeV"
_IN_PEAK = rf"{_DIMUON}, $-2 < M^2_\mathrm{{rec}} < 3$ GeV$^2/c^4$"

CHANNELS: Mapping[str, Channel] = MappingProxyType(
    {
        "jpsi_mumu": Channel(
            title=r"$J/\psi \to \mu^+\mu^-$ from $B$ decays",
            label=r"$m_{\mu\mu}$ [GeV/$c^2$]",
            low=2.95,
            high=3.25,
            bins=60,
            generate=partial(dileptons.generate, "mu"),
            look=partial(dileptons.look, "mu"),
            selection=_DILEPTON,
            peak=Peak(MASS["J/psi"], 1, 1e3, "MeV/c²"),
            flat="combinatorial_mumu",
            smooth=frozenset(dileptons.QED["mu"]),
        ),
        "jpsi_ee": Channel(
            title=r"$J/\psi \to e^+e^-$ from $B$ decays",
            label=r"$m_{ee}$ [GeV/$c^2$]",
            low=2.6,
            high=3.3,
            bins=140,
            generate=partial(dileptons.generate, "e"),
            look=partial(dileptons.look, "e"),
            selection=_DILEPTON,
            peak=Peak(MASS["J/psi"], 1, 1e3, "MeV/c²"),
            flat="combinatorial_ee",
            smooth=frozenset(dileptons.QED["e"]),
        ),
        "pi0_gammagamma": Channel(
            title=r"$\pi^0 \to \gamma\gamma$ from $\tau$ pairs",
            label=r"$m_{\gamma\gamma}$ [GeV/$c^2$]",
            low=0.08,
            high=0.19,
            bins=110,
            generate=pions.generate,
            look=pions.look,
            selection=r"$E_\gamma > 0.15$ GeV",
            peak=Peak(MASS["pi0"], 2, 1e3, "MeV/c²"),
        ),
        "mumugamma_recoil": Channel(
            title=r"$e^+e^- \to \mu^+\mu^-\gamma$, recoil against the muons",
            label=r"$M^2_\mathrm{rec}$ [GeV$^2$/$c^4$]",
            low=-2.0,
            high=3.0,
            bins=100,
            generate=dimuons.generate,
            look=partial(dimuons.look, "recoil_mass2"),
            selection=_DIMUON,
            peak=Peak(0.0, None, 1.0, "GeV²/c⁴"),
        ),
        "mumugamma_energy": Channel(
            title=r"$e^+e^- \to \mu^+\mu^-\gamma$",
            label=r"$E^*_\gamma$ [GeV]",
            low=1.0,
            high=5.5,
            bins=90,
            generate=dimuons.generate,
            look=partial(dimuons.look, "photon_energy"),
            selection=_IN_PEAK,
        ),
        "mumugamma_mass": Channel(
            title=r"$e^+e^- \to \mu^+\mu^-\gamma$",
            label=r"$m_{\mu\mu}$ [GeV/$c^2$]",
            low=2.0,
            high=10.0,
            bins=80,
            generate=dimuons.generate,
            look=partial(dimuons.look, "dimuon_mass"),
            selection=_IN_PEAK,
        ),
    }
)

COMPONENTS: Mapping[str, str] = MappingProxyType(
    {
        "signal": "signal",
        "dimuon_gamma": r"$e^+e^- \to \mu^+\mu^-\gamma$",
        "two_photon_dimuon": r"$e^+e^- \to e^+e^-\mu^+\mu^-$",
        "bhabha_gamma": r"$e^+e^- \to e^+e^-\gamma$",
        "two_photon_dielectron": r"$e^+e^- \to e^+e^-e^+e^-$",
        "combinatorial": "photons of two pions",
        "assumed": "combinatorial, flat: an assumption",
    }
)
