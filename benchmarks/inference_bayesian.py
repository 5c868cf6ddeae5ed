"""Speed of Bayesian limits of binned models, as rows for the table of statistics."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np

from darksector.statistics.bayesian import bayesian_limits
from darksector.statistics.bayesian_bands import bayesian_bands
from darksector.statistics.histfactory import ModelLikelihood, likelihood
from darksector.statistics.model import Channel, Model, Sample
from darksector.statistics.modifiers import HistoSys, NormFactor, NormSys

BINS = 60


@dataclass(frozen=True)
class Row:
    """CPU milliseconds per mass and the largest relative error of a limit."""

    case: str
    milliseconds: float
    error: float
    failures: int


def scan(points: int, *, events: float = 50.0, seed: int = 1) -> ModelLikelihood:
    """Return a peak that moves over two backgrounds with 8 nuisance parameters.

    Six act on normalisations, two on shapes; 60 bins, one peak position per point.
    """
    generator = np.random.default_rng(seed)
    x = (np.arange(BINS) + 0.5) / BINS
    peaks = np.linspace(0.1, 0.9, points)[:, None]
    signal = 30 * np.exp(-((x - peaks) ** 2) / (2 * 0.03**2)) * 0.03
    falling, flat = events * np.exp(-2 * x), events * 0.3 * np.ones(BINS)
    tilt = 0.1 * (x - 0.5)
    observed = generator.poisson(falling + flat, (points, BINS))
    shared = (NormSys("lumi", 1.01, 1 / 1.01), NormSys("trigger", 1.05, 1 / 1.05))
    samples = (
        Sample("signal", signal, (
            NormFactor("mu"), *shared, NormSys("efficiency", 1.1, 1 / 1.1),
            NormSys("tracking", 1.04, 1 / 1.04))),
        Sample("falling", falling, (
            *shared, NormSys("tracking", 1.04, 1 / 1.04), NormSys("cross", 1.2, 1 / 1.2),
            HistoSys("slope", falling * (1 + tilt), falling * (1 - tilt)))),
        Sample("flat", flat, (
            *shared, NormSys("other", 1.3, 1 / 1.3),
            HistoSys("bend", flat * (1 + 4 * tilt**2), flat * (1 - 4 * tilt**2)))),
    )  # fmt: skip
    return likelihood(Model((Channel("region", samples, observed),), poi="mu"))


def rows(points: int = 100) -> list[Row]:
    """Return the cost of observed limits with many, some and few events per bin."""
    found = []
    for name, events in (("many", 500.0), ("some", 50.0), ("few", 0.5)):
        at = scan(points, events=events)
        before = time.process_time()
        limits = bayesian_limits(at, confidence_level=0.9, seed=1)
        spent = time.process_time() - before
        error = float((limits.error / limits.observed).max())
        failures = int(np.sum(limits.status != "ok"))
        found.append(Row(f"{name} events", 1e3 * spent / points, error, failures))
    return [*found, bands()]


def bands(toys: int = 100) -> Row:
    """Return the cost of an expected band; its error is that of the median."""
    at = scan(1)
    before = time.process_time()
    band = bayesian_bands(at, confidence_level=0.9, toys=toys, seed=1)
    spent = time.process_time() - before
    error = float(band.error[0, 2] / band.expected[0])
    failures = int(np.sum(band.status != "ok"))
    return Row(f"band from {toys} toys", 1e3 * spent, error, failures)


if __name__ == "__main__":
    for row in rows():
        print(row)
