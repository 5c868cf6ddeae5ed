"""Structure function, its sampler, and vacuum polarisation against quadrature."""

from __future__ import annotations

from itertools import pairwise
from math import log, pi

import jax.numpy as jnp
import numpy as np
import pytest
from scipy.integrate import quad

from darksector.amplitudes.radiation import beta, radiate, structure_function
from darksector.amplitudes.vacuum import delta_alpha, lepton_loop, photon_denominator
from darksector.particles import MASS

S = 10.58**2


def integral(function, keep_min, scale2=S):
    """Return ∫ D(z) f(z) dz above keep_min; y = x^(β/2) takes out the soft peak."""
    half = float(beta(scale2)) / 2

    def integrand(y):
        x = y ** (1 / half)
        if x <= 0.0:
            return float(structure_function(jnp.array(1e-300), scale2)) * function(1.0)
        return float(structure_function(jnp.array(x), scale2)) * function(1 - x)

    edges = [0.0, *(np.array([1e-3, 0.1, 0.5, 0.9]) ** half), (1 - keep_min) ** half]
    edges = sorted(e for e in edges if e <= edges[-1])
    return sum(
        quad(integrand, a, b, epsabs=1e-10, epsrel=1e-8, limit=100)[0]
        for a, b in pairwise(edges)
    )


@pytest.mark.parametrize("scale2", [pytest.param(S, id="s"), pytest.param(1.0, id="1")])
def test_structure_function_is_normalised_up_to_real_pairs(scale2):
    """Photons alone cancel through O(β²): what is left is the virtual pair correction.

    -(β²/48)(L/3 - 5/2) in eq. 11 of inspire:Kuraev:1985hb, which radiation of real pairs,
    absent here, would fill: -7e-4 per beam at 10.58 GeV.
    """
    b, L = float(beta(scale2)), log(scale2 / MASS["e"] ** 2)

    norm = integral(lambda _: 1.0, 1e-9, scale2)

    assert norm - 1 == pytest.approx(-(b**2) / 48 * (L / 3 - 5 / 2), abs=1e-6)
    assert abs(norm - 1) < b**2


def test_beta():
    """β = (2α/π)(ln(s/m_e²) - 1) = 0.0877 at 10.58 GeV, by hand."""
    by_hand = 2 / 137.035999 / pi * (log(S / 0.51099895e-3**2) - 1)

    assert float(beta(S)) == pytest.approx(by_hand, rel=1e-9)


@pytest.mark.parametrize(
    "function",
    [
        pytest.param(lambda z: z, id="mean fraction kept"),
        pytest.param(lambda z: 1 / z, id="1/s'"),
        pytest.param(lambda z: np.exp(-(((z - 0.3) / 0.1) ** 2)), id="hard window"),
        pytest.param(lambda z: np.exp(-(1 - z) / 0.01), id="soft photons"),
    ],
)
def test_radiate_is_unbiased(function):
    """Midpoints of 2^20 strata: what is left is the error of the midpoint rule."""
    keep_min, n = 0.01, 1 << 20
    u = (jnp.arange(n) + 0.5) / n

    radiated = radiate(u, u, scale2=S, keep_min=keep_min)

    # both beams have the same u: one factor of the weight each
    weight = np.sqrt(np.asarray(radiated.weight))
    z = np.asarray(radiated.electron)
    mean = np.mean(weight * np.where(z > keep_min * (1 + 1e-9), function(z), 0.0))
    assert mean == pytest.approx(integral(function, keep_min), rel=1e-4)


def test_beams_radiate_independently():
    rng = np.random.default_rng(1)
    u, v = jnp.asarray(rng.random((2, 1 << 18)))

    radiated = radiate(u, v, scale2=S, keep_min=0.01)

    w, z1, z2 = (np.asarray(a) for a in radiated[2::-1])
    product = w * z1 * z2
    expected = integral(lambda z: z, 0.01) ** 2
    assert abs(product.mean() - expected) < 3 * product.std() / np.sqrt(w.size)


def by_quadrature(q2, m):
    """Return the real part of ∫ x(1-x) ln|(m² - x(1-x)q²)/m²| dx."""
    root = np.sqrt(1 - 4 * m**2 / q2) if q2 > 4 * m**2 else None
    points = [(1 - root) / 2, (1 + root) / 2] if root else None
    return quad(
        lambda x: x * (1 - x) * np.log(abs(1 - x * (1 - x) * q2 / m**2)),
        *(0, 1),
        points=points,
        limit=200,
    )[0]


@pytest.mark.parametrize(
    "q2",
    [
        pytest.param(-1e4, id="spacelike"),
        pytest.param(-1e-3, id="spacelike, below the mass"),
        pytest.param(1e-7, id="series"),
        pytest.param(2e-6, id="just above the series"),
        pytest.param(0.01, id="timelike, below threshold"),
        pytest.param(0.0448, id="at threshold"),
        pytest.param(1.0, id="above threshold"),
        pytest.param(112.0, id="at the collider"),
    ],
)
def test_lepton_loop(q2):
    m = MASS["mu"]

    assert float(lepton_loop(q2, m).real) == pytest.approx(
        by_quadrature(q2, m), rel=1e-7, abs=1e-13
    )


@pytest.mark.parametrize("q2", [0.01, 0.1, 112.0])
def test_lepton_loop_has_the_cut_of_unitarity(q2):
    """Im = -π ∫ x(1-x) between the roots = -(π/6) β (3-β²)/2, zero below threshold."""
    m = MASS["mu"]
    velocity = np.sqrt(max(1 - 4 * m**2 / q2, 0.0))

    expected = -pi / 6 * velocity * (3 - velocity**2) / 2
    assert float(lepton_loop(q2, m).imag) == pytest.approx(expected, abs=1e-14)


def test_leptonic_running_to_the_z():
    """0.0314979 with three loops (arXiv:hep-ph/9803313); one loop gives 0.3 % less."""
    q2 = 91.1876**2
    loops = sum(float(lepton_loop(q2, MASS[name]).real) for name in ("e", "mu", "tau"))

    ours = 2 / 137.035999 / pi * loops

    assert ours == pytest.approx(0.0314979, rel=5e-3)


def test_hadronic_running_is_continuous():
    """The pieces of the parametrisation meet: no step above 1e-4 of α."""
    for edge in (0.3**2, 3.0**2, 100.0**2):
        below, above = (float(delta_alpha(-edge * f)) for f in (1 - 1e-9, 1 + 1e-9))
        assert above == pytest.approx(below, abs=1e-4)


def test_no_running_without_momentum_or_on_request():
    assert float(delta_alpha(0.0)) == 0.0
    s = jnp.array(50.0)
    assert float(photon_denominator(s, 0.0)) == 50.0
    assert float(photon_denominator(s, 1.0)) < 50.0
