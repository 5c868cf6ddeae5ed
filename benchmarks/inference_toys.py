"""Speed of toy experiments: each is thrown, fitted free and fitted at one signal."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np

from darksector.statistics.experiments import Experiments, Hypothesis, t_mu, throw
from darksector.statistics.histfactory import ModelLikelihood, likelihood
from darksector.statistics.model import Channel, Model, Sample
from darksector.statistics.modifiers import HistoSys, NormFactor, NormSys

BINS, TOYS, SIGNAL = 60, 20_480, 0.5


@dataclass(frozen=True)
class ToyRate:
    """Toys per second of wall and of CPU time."""

    wall: float
    cpu: float


def sixty_bins() -> ModelLikelihood:
    """Return a peak on 6000 falling events; four nuisances on yields and a shape."""
    x = (np.arange(BINS) + 0.5) / BINS
    falling, flat = 100 * np.exp(-2 * x), np.full(BINS, 20.0)
    peak = 30 * np.exp(-0.5 * ((x - 0.4) / 0.03) ** 2)
    tilt = 0.1 * (x - 0.5)
    slope = HistoSys("slope", falling * (1 + tilt), falling * (1 - tilt))
    samples = (
        Sample("signal", peak, (NormFactor("mu"), _scale("efficiency", 1.05, 0.95))),
        Sample("falling", falling, (_scale("falling", 1.1, 0.9), slope)),
        Sample("flat", flat, (_scale("flat", 1.2, 0.85),)),
    )
    channel = Channel("region", samples, np.round(falling + flat))
    return likelihood(Model((channel,), poi="mu"))


def _scale(name: str, up: float, down: float) -> NormSys:
    return NormSys(name, np.array(up), np.array(down))


def rate() -> ToyRate:
    """Return the rate; run with OMP_NUM_THREADS=1."""
    data = sixty_bins()
    truth = np.where(np.arange(len(data.names)) == data.poi, SIGNAL, data.start)
    tested = [Hypothesis(0, truth, np.array([SIGNAL]), "benchmark")]
    throw(data, tested, t_mu, Experiments(1024, seed=0))  # first use costs more
    wall, cpu = time.perf_counter(), time.process_time()
    throw(data, tested, t_mu, Experiments(TOYS, seed=1))
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    return ToyRate(TOYS / wall, TOYS / cpu)
