"""Look-elsewhere effect of a bump hunt, from spectra without signal."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import final

import numpy as np
from jaxtyping import Float
from numpy.typing import NDArray
from scipy.special import ndtri

from darksector.errors import OutOfDomain
from darksector.execution import Arrays, Task, run, stream
from darksector.statistics.bumphunt import BumpHunt, check_counts
from darksector.statistics.fit import OK, fit
from darksector.statistics.profile import discovery, fit_at

_CHUNK = 256  # toys: one block of the fit; results depend on it


@final
@dataclass(frozen=True)
class Toys:
    """Spectra to be thrown.

    Parameters
    ----------
    number
        How many, >= 1.
    seed
        Of their random numbers.
    workers
        Number of processes; results do not depend on it.
    checkpoint
        Folder of finished chunks, or `None`.
    progress
        Called with the numbers of finished and of all chunks, or `None`.
    """

    number: int
    seed: int
    workers: int = 1
    checkpoint: Path | None = None
    progress: Callable[[int, int], None] | None = None

    def __post_init__(self) -> None:
        if self.number < 1:
            msg = (
                f"number of toys must be >= 1, got {self.number}; 10000 reaches 3.7 σ."
            )
            raise OutOfDomain(msg)


@final
@dataclass(frozen=True)
class LookElsewhere:
    """The largest excess of each spectrum without signal.

    Parameters
    ----------
    q0
        Largest discovery statistic over all masses, shape ``(toys,)``.
    mass
        Index of the mass where it is, shape ``(toys,)``.
    at_masses
        Sums over the toys of q0 > 0 at each mass, for checks, shape ``(m,)``.
    failed
        Number of windows without a fit, out of toys times usable masses; their excess
        counts as none.
    """

    q0: NDArray[np.float64]
    mass: NDArray[np.int64]
    at_masses: NDArray[np.float64]
    failed: int

    def global_p_value(self, local_significance: float) -> float:
        """Return the chance of an excess this large at any mass, without signal.

        Notes
        -----
        (k + 1)/(N + 1) for k of N toys: never zero, and never too small on average
        (Phipson and Smyth, Stat. Appl. Genet. Mol. Biol. 9 (2010) 39).
        """
        beyond = self.q0 >= max(local_significance, 0.0) ** 2
        return float((np.count_nonzero(beyond) + 1) / (self.q0.size + 1))

    def global_significance(self, local_significance: float) -> float:
        """Return the global p-value as a one-sided number of standard deviations, σ."""
        return float(-ndtri(self.global_p_value(local_significance)))


def look_elsewhere(
    hunt: BumpHunt, expected: Float[np.ndarray, " bins"], *, toys: Toys
) -> LookElsewhere:
    """Search Poisson spectra of `expected` counts for their largest excess.

    Parameters
    ----------
    hunt
        What is fitted to each spectrum.
    expected
        Expected counts per bin of the whole spectrum without signal, > 0 in total.
    toys
        How many spectra, and where to compute them.

    Raises
    ------
    OutOfDomain
        If the counts do not fit the edges, are negative, or no mass can be tested.

    Notes
    -----
    A toy is a spectrum of the whole range, so that neighbouring and overlapping windows
    have their correlation (arXiv:1005.1891).  Fits start from that of `expected`.
    """
    check_counts(hunt, expected)
    if not np.any(hunt.status == OK):
        msg = f"no mass can be tested: {hunt.status}; choose other masses or windows."
        raise OutOfDomain(msg)
    starts = discovery(hunt.likelihood(expected).bounded(0.0)).null.theta
    digest = _digest(hunt, expected, toys.seed)
    chunks = [(i, min(_CHUNK, toys.number - i)) for i in range(0, toys.number, _CHUNK)]
    tasks = [
        Task(_key(digest, c), _chunk, (hunt, expected, starts, toys.seed, c))
        for c in chunks
    ]
    parts = run(
        tasks,
        workers=toys.workers,
        checkpoint=toys.checkpoint,
        progress=toys.progress,
    )
    return LookElsewhere(
        np.concatenate([part["q0"] for part in parts]),
        np.concatenate([part["mass"] for part in parts]),
        np.sum([part["at_masses"] for part in parts], axis=0),
        int(sum(part["failed"] for part in parts)),
    )


def toy_q0(
    hunt: BumpHunt,
    mass: int,
    counts: Float[np.ndarray, "n bins"],
    start: Float[np.ndarray, " p"],
) -> Float[np.ndarray, " n"]:
    """Return q0 of many spectra at one mass, given its index; NaN without a fit.

    The yield is bounded below by zero: a deficit, half of all spectra, then ends the
    second fit before its first step.
    """
    likelihood = hunt.at(mass, counts).bounded(0.0)
    starts = np.broadcast_to(start, (len(counts), start.size))
    null = fit_at(likelihood, np.zeros(len(counts)), start=starts)
    free = fit(likelihood, start=null.theta)
    q0 = 2 * np.maximum(null.nll - free.nll, 0.0)
    return np.where(null.converged & free.converged, q0, np.nan)


def _digest(hunt: BumpHunt, expected: NDArray[np.float64], seed: int) -> str:
    """Return the hash of all that a chunk depends on, but for its number."""
    digest = hashlib.sha256(repr((hunt.backgrounds, seed)).encode())
    w = hunt.windows
    for array in (w.edges, w.first, w.stop, hunt.shares, expected):
        digest.update(repr((array.shape, array.dtype)).encode())
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


def _key(digest: str, chunk: tuple[int, int]) -> str:
    return hashlib.sha256(f"{digest} {chunk}".encode()).hexdigest()


def _chunk(
    hunt: BumpHunt,
    expected: NDArray[np.float64],
    starts: NDArray[np.float64],
    seed: int,
    chunk: tuple[int, int],
) -> Arrays:
    first, size = chunk
    random = stream(seed, "bump hunt", first // _CHUNK)
    counts = random.poisson(expected, size=(size, expected.size)).astype(np.float64)
    largest, where = np.full(size, -1.0), np.zeros(size, dtype=np.int64)
    total, failed = np.zeros(hunt.windows.masses.size), 0
    for mass, start in zip(np.flatnonzero(hunt.status == OK), starts, strict=True):
        q0 = toy_q0(hunt, int(mass), counts, start)
        failed += int(np.count_nonzero(np.isnan(q0)))
        q0 = np.nan_to_num(q0)
        total[mass] = q0.sum()
        where = np.where(q0 > largest, mass, where)
        largest = np.maximum(q0, largest)
    return {
        "q0": largest,
        "mass": where,
        "at_masses": total,
        "failed": np.array(failed),
    }
