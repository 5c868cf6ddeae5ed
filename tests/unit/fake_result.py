"""A search result with realistic, invented numbers; no run, no network, no clock."""

from __future__ import annotations

import numpy as np

from darksector.cardfile import Origin
from darksector.provenance import Provenance
from darksector.results import CutflowRow, Labels, Plane, SearchResult, Windows
from darksector.statistics.likelihood import CountingModel
from darksector.statistics.limits import LimitCurve
from darksector.statistics.spectrum import Spectrum
from darksector.statistics.systematics import Systematic

BACKGROUNDS = ("dimuon_gamma", "ditau_gamma", "two_photon_dimuon")
LABELS = Labels(
    title="Z' to invisible",
    machine="SuperKEKB",
    detector="Belle II, phase 2",
    observable=r"$M^2_\mathrm{rec}$ [GeV$^2$]",
    model="lmu_ltau",
    components={
        "dimuon_gamma": r"$e^+e^-\to\mu^+\mu^-(\gamma)$",
        "ditau_gamma": r"$e^+e^-\to\tau^+\tau^-(\gamma)$",
        "two_photon_dimuon": r"$e^+e^-\to e^+e^-\mu^+\mu^-$",
    },
    quantities={
        "sigma": r"$\sigma(e^+e^-\to\mu^+\mu^- Z',\ Z'\to\mathrm{inv.})$",
        "gprime": r"$g'$",
        "gprime_br1": r"$g'$ if $B(Z'\to\mathrm{inv.})=1$",
    },
    conventions={"coupling scheme": "alpha(M_Z)", "radiation": "first order <ISR>"},
)


def fake_result(masses=None, *, masked=(), observed=False, writer=None, planes=()):
    mass = np.linspace(0.5, 7.0, 14) if masses is None else np.asarray(masses, float)
    gaps = np.isin(np.arange(len(mass)), list(masked))
    windows = fake_windows(mass)
    counts = np.round(windows.total_background()).astype(np.int64) if observed else None
    limits = fake_limits(mass, gaps, observed)
    return SearchResult(
        name="zprime_invisible",
        labels=LABELS,
        luminosity=0.276,
        windows=windows,
        limits=limits,
        cutflow=fake_cutflow(),
        spectra=fake_spectra(),
        signal_spectra={m: fake_signal(m) for m in (1.0, 4.0, 6.5)},
        counting=CountingModel(
            signal=windows.efficiency * 0.276,
            background=windows.total_background(),
            background_error=np.full(len(mass), 0.03),
            systematics=(
                Systematic("tracking", 0.04, 0.04, "arXiv:1912.11276, section 5"),
                Systematic("lepton_id", 0.04, 0.04, "arXiv:1912.11276, section 5"),
            ),
        ),
        observed=counts,
        published=("lmu_ltau_4mu_babar2016", "lmu_ltau_tautau_belle2_2023"),
        config={
            "search": "zprime_invisible",
            "seed": 1,
            "masses": mass.tolist(),
            "detector": "belle2_phase2",
        },
        provenance=Provenance(
            seed=1,
            versions={"python": "3.11", "numpy": "2.0"},
            inputs={"machines/superkekb.toml": "ab" * 32},
            references=("arXiv:1403.2727", "arXiv:1606.03501"),
        ),
        origins={"machine.energy_her": Origin("a test", "read")},
        writer=writer or (lambda result, folder: None),
        planes=planes,
    )


def fake_windows(mass):
    background = {
        name: scale * np.exp(-0.3 * (mass - 4) ** 2) + 0.2
        for name, scale in zip(BACKGROUNDS, (20.0, 60.0, 3.0), strict=True)
    }
    resolution = 3.2 - 0.06 * mass**2
    return Windows(
        mass=mass,
        low=mass**2 - 2 * resolution,
        high=mass**2 + 2 * resolution,
        resolution=resolution,
        efficiency=0.05 * np.exp(-0.1 * mass) + 0.01,
        efficiency_error=np.full(len(mass), 0.001),
        signal_sigma=9e5 / (1 + mass**2),
        background=background,
        background_error={name: 0.1 * b for name, b in background.items()},
        choices={"transverse recoil": 0.2 + 0.1 * mass},
    )


def fake_limits(mass, gaps, observed):
    sigma = 30 + 400 * np.exp(-0.4 * (mass - 4) ** 2)
    quantities = {
        "sigma": (sigma, 1.0),
        "gprime": (np.sqrt(sigma / 9e5 * (1 + mass**2)) * 1.7, 0.5),
        "gprime_br1": (np.sqrt(sigma / 9e5 * (1 + mass**2)), 0.5),
    }
    spread = np.array([0.55, 0.73, 1.0, 1.4, 1.95])
    mask = np.repeat(gaps[:, None], 5, axis=1)
    return LimitCurve(
        mass=mass,
        units={"sigma": "fb", "gprime": "1", "gprime_br1": "1"},
        expected_band={
            name: np.ma.array(np.outer(median, spread**power), mask=mask)
            for name, (median, power) in quantities.items()
        },
        observed={
            name: np.ma.array(median * (1.1 + 0.3 * np.sin(9 * mass)), mask=gaps)
            for name, (median, _) in quantities.items()
        }
        if observed
        else {},
        status=tuple("no signal in window" if gap else "ok" for gap in gaps),
        confidence_level=0.90,
        method="Bayesian, flat prior in the cross-section",
    )


def fake_spectra():
    edges = np.linspace(-4, 70, 75)
    x = (edges[1:] + edges[:-1]) / 2
    shapes = {
        "dimuon_gamma": 900 * np.exp(-0.5 * (x / 3) ** 2) + 30,
        "ditau_gamma": 60 * np.exp(-0.5 * ((x - 35) / 15) ** 2),
        "two_photon_dimuon": 1.5 * np.exp(-0.5 * ((x - 60) / 10) ** 2),
    }
    return {
        name: Spectrum("recoil_mass2", edges, shape, (0.1 * shape) ** 2)
        for name, shape in shapes.items()
    }


def fake_signal(mass):
    edges = np.linspace(-4, 70, 75)
    x = (edges[1:] + edges[:-1]) / 2
    shape = 9 * np.exp(-0.5 * ((x - mass**2) / 1.5) ** 2)
    shape[shape < 1e-6] = 0
    return Spectrum("recoil_mass2", edges, shape, 0.01 * shape)


def fake_plane():
    """Two backgrounds side by side, a third in a corner, and nothing at the top."""
    x, y = np.linspace(1, 6, 51), np.linspace(10, 160, 76)
    left, right, corner = (np.zeros((50, 75)) for _ in range(3))
    left[:25, :60] = 20.0
    right[25:, :60] = 5.0
    corner[44:, :6] = 400.0
    best = np.zeros((50, 75), dtype=bool)
    best[30:40, 20:40] = True
    edge = np.column_stack([np.linspace(1, 6, 9), np.linspace(60, 20, 9)])
    return Plane(
        name="energy_angle_plane",
        title="single photons",
        x_label=r"$E^*_\gamma$ [GeV]",
        y_label=r"$\theta_\gamma$ [degrees]",
        x_edges=x,
        y_edges=y,
        contents=dict(zip(BACKGROUNDS, (left, right, corner), strict=True)),
        lines={"low mass": (edge, edge + np.array([0, 60]))},
        cells={"best boundary": best},
    )


def fake_cutflow():
    return tuple(
        CutflowRow(name, cut, f"Keep events that pass {cut}.", 1e4 / 10**i, 3.0 + i)
        for name in (*BACKGROUNDS, "signal_1")
        for i, cut in enumerate(("trigger", "two tracks", "transverse recoil"))
    )
