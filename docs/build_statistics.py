"""Draw the figures of the page on limits: methods on the same data, coverage, a hunt."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from scipy.special import ndtr
from scipy.stats import poisson

from darksector.plotting import inference
from darksector.statistics.bayesian import bayesian_limits
from darksector.statistics.feldman_cousins import feldman_cousins_interval
from darksector.statistics.histfactory import likelihood
from darksector.statistics.model import Channel, Model, Sample
from darksector.statistics.modifiers import NormFactor, NormSys
from darksector.statistics.profile_limits import cls_upper_limits
from darksector.statistics.toy_intervals import unified_intervals
from darksector.statistics.toy_limits import toy_upper_limits

FIGURES = Path(__file__).parent / "figures"
LEVEL = 0.9
BACKGROUND = 3.0
MASSES = np.linspace(2.0, 8.0, 13)
EDGES = np.linspace(0.0, 10.0, 61)
WIDTH = 0.25  # GeV, of the peak
SEED = 5


def counting(counts):
    """Return upper limits on the signal for counts with a known background, events."""
    model = Model(
        (
            Channel(
                "count",
                (
                    Sample("signal", [1.0], (NormFactor("mu"),)),
                    Sample("background", [BACKGROUND]),
                ),
                counts[:, None].astype(float),
            ),
        ),
        poi="mu",
    )
    rows = likelihood(model)
    background = np.full(counts.size, BACKGROUND)
    unified = feldman_cousins_interval(counts, background, confidence_level=LEVEL)
    flat_in_g = bayesian_limits(rows, confidence_level=LEVEL, flat_in=2.0, seed=1)
    bayesian = bayesian_limits(rows, confidence_level=LEVEL, seed=1)
    asymptotic = cls_upper_limits(rows, confidence_level=LEVEL)
    return {
        "asymptotic CLs": (None, asymptotic.observed),
        "Bayesian, flat in signal = exact CLs": (None, bayesian.observed),
        r"Bayesian, flat in $g$, signal $\propto g^2$": (None, flat_in_g.observed),
        "Feldman-Cousins": (unified.lower, unified.upper),
    }


def coverage(signal, limits, counts):
    """Return the exact coverage of limits at true signals: a sum over the counts."""
    found = {}
    for name, (lower, upper) in limits.items():
        inside = np.asarray(upper)[None] >= signal[:, None]
        if lower is not None:
            inside &= np.asarray(lower)[None] <= signal[:, None]
        chance = poisson.pmf(counts[None], BACKGROUND + signal[:, None])
        found[name] = (chance * inside).sum(axis=1) + poisson.sf(
            counts[-1], BACKGROUND + signal
        )
    return found


def spectrum():
    """Return a model per mass: a peak on a falling background known to 10 %."""
    centres = (EDGES[1:] + EDGES[:-1]) / 2
    background = 40 * np.exp(-centres / 3)
    counts = np.random.default_rng(SEED).poisson(background)
    shares = np.diff(ndtr((EDGES - MASSES[:, None]) / WIDTH), axis=1)
    samples = (
        Sample("signal", shares, (NormFactor("events"),)),
        Sample("background", background, (NormSys("scale", 1.1, 1 / 1.1),)),
    )
    return Model((Channel("spectrum", samples, counts.astype(float)),), poi="events")


def methods(model):
    """Return the limits of every method on the same spectra."""
    rows = likelihood(model)
    how = {"confidence_level": LEVEL, "toys": 2000, "seed": SEED}
    toys = toy_upper_limits(rows, **how)
    unified = unified_intervals(rows, **how)
    bayesian = bayesian_limits(rows, confidence_level=LEVEL, seed=SEED)
    asymptotic = cls_upper_limits(rows, confidence_level=LEVEL)
    return asymptotic, {
        "toy CLs": (toys.observed, toys.observed_error),
        "Bayesian, flat in signal": (bayesian.observed, bayesian.error),
        "Feldman-Cousins with profiled nuisances": (unified.upper, unified.upper_error),
    }


def main() -> None:
    """Write all figures."""
    counts = np.arange(60)
    limits = counting(counts)
    signal = np.linspace(0.05, 15, 1500)
    inference.save_counting(
        {name: upper[:13] for name, (_, upper) in limits.items()},
        coverage(signal, limits, counts),
        signal,
        FIGURES,
        background=BACKGROUND,
        level=LEVEL,
    )
    asymptotic, others = methods(spectrum())
    inference.save_methods(MASSES, asymptotic, others, FIGURES, level=LEVEL)


if __name__ == "__main__":
    main()
