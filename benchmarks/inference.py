"""Speed of the statistics beside peers, in one run; writes benchmarks/inference.md."""

from __future__ import annotations

import logging
import os
import platform
import time
import warnings
from collections.abc import Callable
from pathlib import Path

for _variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[_variable] = "1"  # before NumPy is loaded: threads are counted here

import inference_bayesian
import inference_toys
import numpy as np
import pyhf
from engine import processor
from iminuit import Minuit
from iminuit.cost import ExtendedUnbinnedNLL
from scipy.special import ndtr
from scipy.stats import crystalball

from darksector.io.pyhf import spec_of
from darksector.statistics.backgrounds import Chebyshev
from darksector.statistics.bumphunt import BumpHunt
from darksector.statistics.bumphunt_toys import Toys, look_elsewhere
from darksector.statistics.histfactory import likelihood
from darksector.statistics.model import Channel, Model, Sample
from darksector.statistics.modifiers import HistoSys, NormFactor, NormSys
from darksector.statistics.profile_limits import cls_upper_limits
from darksector.statistics.unbinned import backgrounds
from darksector.statistics.unbinned.crystal_ball import CrystalBall
from darksector.statistics.unbinned.fit import fit_unbinned
from darksector.statistics.unbinned.likelihood import unbinned_likelihood
from darksector.statistics.unbinned.samples import separate
from darksector.statistics.windows import windows

MASSES, PEER_MASSES, BINS, LEVEL = 200, 4, 60, 0.9
PEER_TOYS = 60
FITS, PEER_FITS, EVENTS = 200, 10, 10_000
LOW, HIGH = 3.0, 7.0
HUNT_MASSES, HUNT_TOYS = 500, 2000


def spectrum(points: int) -> Model:
    """Return a peak that moves over two backgrounds with 4 nuisance parameters."""
    x = (np.arange(BINS) + 0.5) / BINS
    peaks = np.linspace(0.1, 0.9, MASSES)[:: MASSES // points, None]
    signal = 30 * np.exp(-0.5 * ((x - peaks) / 0.03) ** 2)
    falling, flat = 100 * np.exp(-2 * x), np.full(BINS, 20.0)
    tilt = 0.1 * (x - 0.5)
    slope = HistoSys("slope", falling * (1 + tilt), falling * (1 - tilt))
    samples = (
        Sample("signal", signal, (NormFactor("mu"), NormSys("efficiency", 1.05, 0.95))),
        Sample("falling", falling, (NormSys("falling", 1.1, 0.9), slope)),
        Sample("flat", flat, (NormSys("flat", 1.2, 0.85),)),
    )
    counts = np.random.default_rng(1).poisson(falling + flat)
    return Model((Channel("region", samples, counts.astype(float)),), poi="mu")


def point(model: Model, i: int) -> Model:
    """Return one mass of the scan."""
    (channel,) = model.channels
    signal, *others = channel.samples
    one = Sample(signal.name, np.asarray(signal.nominal)[i], signal.modifiers)
    return Model((Channel(channel.name, (one, *others), channel.observed),), model.poi)


def cpu(task: Callable[[], object]) -> tuple[float, float]:
    """Return CPU and wall seconds of a task."""
    start, wall = time.process_time(), time.perf_counter()
    task()
    return time.process_time() - start, time.perf_counter() - wall


def limits() -> str:
    """Asymptotic CLs at all masses beside pyhf at some."""
    ours = likelihood(spectrum(MASSES))
    cls_upper_limits(ours, confidence_level=LEVEL)
    found = []
    spent, wall = cpu(
        lambda: found.append(cls_upper_limits(ours, confidence_level=LEVEL))
    )
    failures = int(np.sum(found[0].status != "ok"))
    peer, broken = peer_limits()
    return (
        f"| asymptotic CLs, {MASSES} masses × (observed + 5 expected), {BINS} bins, "
        f"4 nuisances | {spent:.2f} CPU-s, {wall:.2f} s, {failures} failures | ≤ 3 CPU-s | "
        f"pyhf {pyhf.__version__}: {peer * MASSES:.0f} CPU-s ({PEER_MASSES} measured, "
        f"{broken} failed) | {peer * MASSES / spent:.0f} (≥ 100) |"
    )


def peer_limits() -> tuple[float, int]:
    """Return CPU seconds of pyhf per mass, and at how many it failed."""
    model, broken, total = spectrum(PEER_MASSES), 0, 0.0
    for i in range(PEER_MASSES):
        workspace = pyhf.Workspace(spec_of(point(model, i)))
        peer = workspace.model()
        start = time.process_time()
        try:
            # from 0.01: at 0 its scan ends in "function value at x=0 is NaN"
            found = pyhf.infer.intervals.upper_limits.toms748_scan(
                workspace.data(peer), peer, 0.01, 10.0, level=1 - LEVEL
            )
            broken += not np.isfinite([float(found[0]), *map(float, found[1])]).all()
        except (ValueError, pyhf.exceptions.FailedMinimization):
            broken += 1
        total += time.process_time() - start
    return total / PEER_MASSES, broken


def toys() -> str:
    """Toy experiments per second beside the same two fits with pyhf."""
    peer, rate = peer_toys(), inference_toys.rate()
    return (
        f"| toys, {BINS} bins, 4 nuisances, one core | {rate.wall:.2e} /s, "
        f"{rate.cpu:.2e} /CPU-s | ≥ 2e4 /s | pyhf, the same two fits: {peer:.0f} /CPU-s | "
        f"{rate.cpu / peer:.0f} |"
    )


def peer_toys() -> float:
    """Return pairs of fits of random data by pyhf per CPU second."""
    workspace = pyhf.Workspace(spec_of(point(spectrum(PEER_MASSES), 1)))
    model = workspace.model()
    rng, centre = np.random.default_rng(2), np.asarray(model.config.suggested_init())
    start = time.process_time()
    for _ in range(PEER_TOYS):
        data = [
            *rng.poisson(model.expected_actualdata(centre)),
            *rng.normal(model.config.auxdata),
        ]
        pyhf.infer.mle.fit(data, model)
        pyhf.infer.mle.fixed_poi_fit(1.0, data, model)
    return PEER_TOYS / (time.process_time() - start)


def bayesian() -> list[str]:
    """Bayesian limits per mass."""
    return [
        f"| Bayesian limit, 60 bins, 8 nuisances, {row.case} | {row.milliseconds:.1f} CPU-ms "
        f"per mass, error ≤ {row.error:.1e}, {row.failures} failures | {'' if 'band' in row.case else '≤ 20 ms'} | | |"
        for row in inference_bayesian.rows()
    ]


def unbinned(what: str, share: float, alpha: float) -> str:
    """Unbinned fits of a Crystal Ball on a polynomial beside iminuit."""
    rng = np.random.default_rng(3)
    sets = [sample(rng, share, alpha) for _ in range(FITS)]
    window = np.array([[LOW, HIGH]])
    rows = unbinned_likelihood(
        separate(sets, np.repeat(window, FITS, axis=0)),
        signal=CrystalBall(),
        background=backgrounds.Chebyshev(2),
    )
    first, _ = cpu(lambda: fit_unbinned(rows))
    found = []
    spent, _ = cpu(lambda: found.append(fit_unbinned(rows)))
    failures = int(np.sum(found[0].status != "ok"))
    peer = sum(cpu(lambda s=s: minuit(s, share))[0] for s in sets[:PEER_FITS])
    peer /= PEER_FITS
    return (
        f"| unbinned Crystal Ball + polynomial, {EVENTS} events, 8 parameters, {FITS} fits, "
        f"{what} | {1e3 * spent / FITS:.0f} CPU-ms per fit, {failures} failures, first call "
        f"{first - spent:.1f} CPU-s more | ≤ 50 ms | iminuit: {1e3 * peer:.0f} CPU-ms | "
        f"{peer * FITS / spent:.1f} |"
    )


def sample(rng: np.random.Generator, share: float, alpha: float) -> np.ndarray:
    """Return events of a peak with a tail on a falling line."""
    count = int(share * EVENTS)
    signal = crystalball(alpha, 2.5, 5.0, 0.1).rvs(2 * count, random_state=rng)
    signal = signal[(signal > LOW) & (signal < HIGH)][:count]
    u = 1 - 2 * rng.random(EVENTS * 2)
    background = u[rng.random(u.size) < (1 - 0.3 * u) / 1.3][: EVENTS - signal.size]
    return np.concatenate([signal, (LOW + HIGH) / 2 + (HIGH - LOW) / 2 * background])


def minuit(events: np.ndarray, share: float) -> None:
    """Fit the same model with iminuit, migrad and hesse."""

    def density(x, n_s, n_b, mean, sigma, alpha, n, c1, c2):  # noqa: PLR0913, PLR0917
        u = (2 * x - LOW - HIGH) / (HIGH - LOW)
        z = (x - mean) / sigma
        scale, joint = n / alpha, np.exp(-(alpha**2) / 2)
        below = np.maximum(scale - alpha - z, 1e-9) / scale
        height = np.where(z > -alpha, np.exp(-(z**2) / 2), joint * below**-n)
        far = (scale - alpha - (LOW - mean) / sigma) / scale
        area = joint * scale * (1 - far ** (1 - n)) / (n - 1)
        area += np.sqrt(2 * np.pi) * (ndtr((HIGH - mean) / sigma) - ndtr(-alpha))
        shape = height / (sigma * area)
        line = (1 + c1 * u + c2 * (2 * u**2 - 1)) / ((HIGH - LOW) * (1 - c2 / 3))
        return n_s + n_b, n_s * shape + n_b * line

    start = (EVENTS * share, EVENTS * (1 - share), 5.0, 0.1, 1.0, 3.0, -0.3, 0.0)
    fit = Minuit(ExtendedUnbinnedNLL(events, density), *start)
    fit.limits["sigma", "alpha"], fit.limits["n"] = (0.01, 8), (1.01, 200)
    fit.migrad()
    fit.hesse()


def hunt() -> str:
    """Toys of a whole bump hunt: two fits in each window."""
    edges = np.linspace(0.5, 10.5, 2001)
    masses = np.linspace(0.8, 10.0, HUNT_MASSES)
    resolution = 0.01 + 0.001 * masses
    found = windows(masses, resolution, edges, halfwidth=10.0)
    low, high = edges[found.bins], edges[found.bins + 1]
    m, r = masses[:, None], resolution[:, None]
    shares = ndtr((high - m) / r) - ndtr((low - m) / r)
    search = BumpHunt(found, shares, (Chebyshev(3),))
    expected = 1e6 * -np.diff(np.exp(-edges / 4))
    spent, wall = cpu(
        lambda: look_elsewhere(search, expected, toys=Toys(HUNT_TOYS, seed=1))
    )
    windows_ = HUNT_MASSES * HUNT_TOYS
    return (
        f"| bump hunt, {HUNT_MASSES} masses, {HUNT_TOYS} toys, cubic background | "
        f"{1e6 * spent / windows_:.1f} CPU-μs per window, {wall:.0f} s; 1e4 toys: "
        f"{spent * 1e4 / HUNT_TOYS:.0f} CPU-s | minutes | | |"
    )


def main() -> None:
    """Measure every case and write the page beside this file."""
    warnings.simplefilter("ignore")  # of pyhf's optimiser
    logging.disable(logging.CRITICAL)
    tails = (
        ("30 % signal, long tail", 0.3, 0.9),
        ("10 % signal, short tail", 0.1, 1.5),
    )
    fits = [unbinned(*tail) for tail in tails]
    rows = [limits(), toys(), *bayesian(), *fits, hunt()]
    head = f"""# Benchmarks of the statistics

{processor()}, {os.cpu_count()} cores; Python {platform.python_version()}, NumPy
{np.__version__}.  Written by `make bench`.  CPU seconds of one core.

| what | ours | asked | peer in the same run | ratio |
|---|---|---|---|---|
"""
    text = head + "\n".join(rows) + "\n"
    print(text)
    Path(__file__).with_name("inference.md").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
