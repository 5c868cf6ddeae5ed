"""Maps integrate and invert; volumes of phase space against formulas and quadrature."""

from __future__ import annotations

from dataclasses import replace
from math import pi

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.integrate import quad

from darksector.kinematics import Momentum, squared
from darksector.machines import symmetric
from darksector.models.lmu_ltau import LmuLtau
from darksector.particles import MASS
from darksector.phasespace.mappings import Emission, Pole, Resonance
from darksector.phasespace.two_body import at_rest, two_body, two_body_volume
from darksector.processes._generation import CHUNK
from darksector.processes.dimuon import Dimuon
from darksector.processes.dimuon_gamma import DimuonGamma
from darksector.processes.dimuon_zprime import DimuonZprime
from darksector.processes.ditau import Ditau
from darksector.processes.two_photon_dimuon import TwoPhotonDimuon
from darksector.units import GEV2_FB

E, MU, TAU = MASS["e"], MASS["mu"], MASS["tau"]
S = 10.58**2
U = (jnp.arange(1 << 14) + 0.5) / (1 << 14)

MAPS = {
    "flat": (Pole(power=0), 0.5, 3.0),
    "logarithmic": (Pole(), 1e-3, 2.0),
    "logarithmic, shifted": (Pole(at=0.9), 1.0, 2.0),
    "inverse square": (Pole(power=2), 0.1, 2.0),
    "resonance": (Resonance(1.0, 0.3), 0.2, 3.0),
    "emission": (Emission(1e-2), 1e-3, 1.0),
}


@pytest.fixture(params=MAPS)
def mapping(request):
    return MAPS[request.param]


def test_density_of_a_map_is_the_slope_of_its_draws(mapping):
    """dx/du = 1/density at every draw, and the draws rise or fall throughout."""
    kind, low, high = mapping
    value = kind.draw(U, low, high)

    slope = jax.vmap(jax.grad(lambda u: kind.draw(u, low, high)))(U)

    assert_allclose(kind.density(value, low, high) * jnp.abs(slope), 1.0, rtol=1e-9)
    assert np.all(np.diff(value) > 0) or np.all(np.diff(value) < 0)
    assert low <= np.min(value) < np.max(value) <= high


def test_density_of_a_map_integrates_to_one(mapping):
    kind, low, high = mapping
    top = high * (1 - kind.least) if isinstance(kind, Emission) else high

    area = quad(
        lambda x: float(kind.density(jnp.asarray(x), low, high)), low, top, limit=200
    )[0]

    assert area == pytest.approx(1, rel=1e-6)


def test_density_vanishes_outside(mapping):
    kind, low, high = mapping

    assert float(kind.density(jnp.asarray(high * 1.001), low, high)) == 0
    if not isinstance(kind, Emission):
        assert float(kind.density(jnp.asarray(low * 0.999), low, high)) == 0


def test_two_body_decay_conserves_momentum_and_masses():
    n = 100
    rng = np.random.default_rng(1)
    parent = two_body(at_rest(jnp.full(n, S)), (9.0, 4.0), 2 * U[:n] - 1, U[:n]).first
    axis = Momentum(*jnp.asarray(rng.normal(size=(4, n))))
    cosine, phi = (jnp.asarray(rng.uniform(-1, 1, n)) for _ in range(2))

    first, second = two_body(parent, (1.0, 0.25), cosine, phi, axis)

    assert_allclose((first + second).array(), parent.array(), atol=1e-13)
    assert_allclose(squared(first), 1.0, atol=1e-12)
    assert_allclose(squared(second), 0.25, atol=1e-12)


def test_two_body_volume():
    """β/8π for equal masses, 1/8π for none (PDG, kinematics, eq. 49.12)."""
    assert float(two_body_volume(jnp.array(S), 0.0, 0.0)) == pytest.approx(1 / (8 * pi))
    beta = np.sqrt(1 - 4 * TAU**2 / S)
    assert float(two_body_volume(jnp.array(S), TAU**2, TAU**2)) == pytest.approx(
        beta / (8 * pi)
    )


def phi2(s, m1, m2):
    """Return the two-body volume for masses, zero below threshold."""
    kallen = (s - (m1 + m2) ** 2) * (s - (m1 - m2) ** 2)
    return np.sqrt(np.maximum(kallen, 0.0)) / (8 * pi * s)


def phi3(s, m1, m2, m3):
    """Return the three-body volume: ∫ dm²/(2π) of two two-body volumes."""
    low, high = m2 + m3, np.sqrt(s) - m1
    if high <= low:
        return 0.0
    nodes, weights = np.polynomial.legendre.leggauss(200)
    t = (nodes + 1) / 2
    m = low + (high - low) * t**2 * (3 - 2 * t)  # flat ends tame the square roots
    jacobian = (high - low) * 6 * t * (1 - t) / 2
    values = phi2(s, m1, m) * phi2(m**2, m2, m3) * m / pi
    return float(weights @ (values * jacobian))


def phi4(s, m_pair_min):
    """Return the volume of e e mu mu with m(mu mu) above a cut."""
    low, high = max(m_pair_min, 2 * MU), np.sqrt(s) - 2 * E
    nodes, weights = np.polynomial.legendre.leggauss(100)
    m = low + (high - low) * (nodes + 1) / 2
    values = [phi3(s, E, E, x) * phi2(x**2, MU, MU) * x / pi for x in m]
    return float(weights @ values * (high - low) / 2)


def test_quadrature_gives_the_massless_volumes():
    """s/(256 π³) and s²/(24576 π⁵): the oracle must be right by itself."""
    assert phi3(S, 0, 0, 0) == pytest.approx(S / (256 * pi**3), rel=1e-6)
    nodes, weights = np.polynomial.legendre.leggauss(100)
    m2 = S * (nodes + 1) / 2
    four = weights @ [phi3(S, 0, 0, np.sqrt(x)) / (8 * pi) for x in m2] * S / (4 * pi)
    assert four == pytest.approx(S**2 / (24576 * pi**5), rel=1e-6)


ZPRIME = LmuLtau(mass=3.0, gprime=1.0)


def volume_with_photon(process):
    """Return the volume of mu mu gamma within the cuts on the photon."""
    low = process.photon_energy_min
    spectrum = quad(
        lambda v: phi2(S, np.sqrt(S * (1 - v)), 0) * phi2(S * (1 - v), MU, MU),
        *(low, 1 - 4 * MU**2 / S),
        epsrel=1e-8,
    )[0]
    return spectrum * S / (2 * pi) * np.cos(process.photon_angle_min)


VOLUMES = {
    "dimuon": (Dimuon(), lambda: phi2(S, MU, MU)),
    "ditau": (Ditau(), lambda: phi2(S, TAU, TAU)),
    "dimuon_gamma": (DimuonGamma(), lambda: volume_with_photon(DimuonGamma())),
    "dimuon_zprime": (DimuonZprime(ZPRIME), lambda: phi3(S, 3.0, MU, MU)),
    "two_photon_dimuon": (TwoPhotonDimuon(), lambda: phi4(S, 0.5)),
    "two_photon_dimuon, heavy pairs": (
        TwoPhotonDimuon(pair_mass_min=4.0),
        lambda: phi4(S, 4.0),
    ),
}


@pytest.mark.parametrize("name", VOLUMES)
def test_volume_of_phase_space(name):
    """|M|² = 1: the mean weight is the volume, within three statistical errors.

    The maps of photon exchange are far from flat: eight times the points for them.
    """
    process, volume = VOLUMES[name]
    generation = replace(process, isr=False)._flat(symmetric(np.sqrt(S)))
    weights = []
    for i in range(32 if "two_photon" in name else 4):
        u = generation.uniform(1, "volume", i * CHUNK, CHUNK)
        order, found = generation._points(u)
        flux = np.asarray(found.weight) * 2 * np.asarray(found.s) / GEV2_FB
        weights.append(flux[order >= 0])
    weights = np.concatenate(weights)

    error = weights.std() / np.sqrt(weights.size)
    assert error < 0.03 * weights.mean()
    expected = volume()
    assert abs(weights.mean() - expected) < 3 * error + 1e-6 * expected
