"""What every amplitude must obey: gauge invariance, C, P, frames; and a known integral."""

from __future__ import annotations

from math import pi

import jax.numpy as jnp
import numpy as np
import pytest
from numpy.testing import assert_allclose

from darksector.amplitudes.qed import (
    Incoming,
    absorb,
    annihilation_sum,
    emission_current,
    fermion_line,
    spin_sum,
)
from darksector.amplitudes.spinors import (
    antifermion_in,
    antifermion_out,
    contract,
    current,
    fermion_in,
    fermion_out,
    massive_vector,
    photon,
    scalar,
    slash,
    slash_row,
    vector,
)
from darksector.kinematics import Momentum, boost, momentum, squared
from darksector.models.lmu_ltau import LmuLtau
from darksector.particles import ALPHA, MASS
from darksector.phasespace.two_body import Pair, at_rest, two_body
from darksector.processes import _radiative
from darksector.processes.dimuon import Dimuon
from darksector.processes.dimuon_gamma import DimuonGamma
from darksector.processes.dimuon_zprime import DimuonZprime
from darksector.processes.ditau import Ditau
from darksector.processes.two_photon_dimuon import TwoPhotonDimuon

N, S = 64, 10.58**2
E, MU, TAU = MASS["e"], MASS["mu"], MASS["tau"]
ZPRIME = LmuLtau(mass=2.0, gprime=0.7)


def wide_points(*masses):
    """Return beams along z and momenta from nested isotropic two-body decays."""
    rng = np.random.default_rng(len(masses))
    parent, products = at_rest(jnp.full(N, S)), []
    for i, mass in enumerate(masses[:-1]):
        rest = masses[i + 1 :]
        low, high = sum(rest), jnp.sqrt(squared(parent)) - mass
        m = rest[0] if len(rest) == 1 else low + (high - low) * rng.uniform(0.2, 0.8, N)
        cosine = jnp.asarray(rng.uniform(-0.9, 0.9, N))
        phi = jnp.asarray(rng.uniform(0, 2 * pi, N))
        product, parent = two_body(parent, (mass**2, m**2), cosine, phi)
        products.append(product)
    ones = jnp.ones(N)
    beams = two_body(at_rest(jnp.full(N, S)), (E**2, E**2), ones, 0 * ones)
    return beams, (*products, parent)


def stacked(beams, final):
    return jnp.stack([p.array() for p in (*beams, *final)], axis=1)


def longitudinal(k):
    """Return k itself as the only polarisation of a vector."""
    return tuple(component[None] for component in vector(k))


def states(leg):
    return [tuple(part[i] for part in leg) for i in range(leg[0].shape[0])]


def test_photon_ward_identity():
    beams, final = wide_points(MU, MU, 0.0)
    minus, plus, gamma = final
    ends = [fermion_out(minus, MU), antifermion_out(plus, MU)]
    incoming = [fermion_in(beams.first, E), antifermion_in(beams.second, E)]
    amplitude = _radiative._amplitude(beams, final, MU, 0.0)

    physical = spin_sum(amplitude, [*ends, *incoming, photon(gamma)])
    gauge = spin_sum(amplitude, [*ends, *incoming, longitudinal(gamma)])

    assert np.all(np.asarray(gauge / physical) < 1e-9**2)


def test_zprime_ward_identity():
    """The muon current is conserved, so the Z' mass does not matter."""
    beams, final = wide_points(MU, MU, ZPRIME.mass)
    minus, plus, zprime = final
    ends = [fermion_out(minus, MU), antifermion_out(plus, MU)]
    emitted = emission_current(Pair(minus, plus), MU, zprime, ZPRIME.mass**2)

    polarised = massive_vector(zprime, ZPRIME.mass)
    physical = annihilation_sum(emitted, beams, [*ends, polarised])
    gauge = annihilation_sum(emitted, beams, [*ends, longitudinal(zprime)])

    assert np.all(np.asarray(gauge / physical) < 1e-9**2)


def test_summed_beams_are_the_sum_over_their_spins():
    """The closed form of the lepton tensor against the four configurations."""
    beams, final = wide_points(MU, MU)
    legs = [fermion_out(final[0], MU), antifermion_out(final[1], MU)]
    incoming = [fermion_in(beams.first, E), antifermion_in(beams.second, E)]

    def amplitude(row, column, electron, positron):
        return contract(current(positron, electron), current(row, column))

    closed = annihilation_sum(current, beams, legs)

    assert_allclose(closed, spin_sum(amplitude, [*legs, *incoming]), rtol=1e-12)


@pytest.mark.parametrize("unrolled", [1, 2, 4, 8, 64])
def test_unrolling_changes_nothing(unrolled):
    beams, final = wide_points(MU, MU, 0.0)
    legs = [fermion_out(final[0], MU), antifermion_out(final[1], MU)]
    legs += [fermion_in(beams.first, E), antifermion_in(beams.second, E)]
    legs += [photon(final[2])]
    amplitude = _radiative._amplitude(beams, final, MU, 0.0)

    rolled = spin_sum(amplitude, legs)

    assert_allclose(spin_sum(amplitude, legs, unrolled=unrolled), rolled, rtol=1e-12)
    full = spin_sum(amplitude, legs, parity=False, unrolled=unrolled)
    assert_allclose(full, rolled, rtol=1e-9)


def test_slash_acts_alike_from_both_sides():
    beams, (p, _) = wide_points(TAU, TAU)
    k = vector(beams.first)
    for row in states(fermion_out(p, TAU)):
        for column in states(fermion_in(beams.second, E)):
            assert_allclose(
                scalar(slash_row(row, k), column),
                scalar(row, slash(k, column)),
                rtol=1e-9,
                atol=1e-12,
            )


def lines_of_two_photon_dimuon():
    """Return line ends, entering momentum, mass and absorbed momenta of all six pairs."""
    beams, (electron, positron, minus, plus) = wide_points(E, E, MU, MU)
    q1, q2 = beams.first - electron, beams.second - positron
    source, pair, bhabha = beams.first + beams.second, minus + plus, electron + positron
    muons = fermion_out(minus, MU), antifermion_out(plus, MU), -plus, MU
    e_in, e_out = fermion_in(beams.first, E), fermion_out(electron, E)
    p_in, p_out = antifermion_in(beams.second, E), antifermion_out(positron, E)
    return {
        "muons, two exchanged photons": (*muons, q1, q2),
        "muons, annihilation": (*muons, source, -bhabha),
        "electron": (e_out, e_in, beams.first, E, q2, -pair),
        "positron": (p_in, p_out, -positron, E, q1, -pair),
        "beams": (p_in, e_in, beams.first, E, -bhabha, -pair),
        "scattered pair": (e_out, p_out, -positron, E, source, -pair),
    }


LINES = (
    *("muons, two exchanged photons", "muons, annihilation", "electron", "positron"),
    *("beams", "scattered pair"),
)
ANY = np.array([1.0, 0.3, -0.2j, 0.5])


def constant(v):
    return tuple(jnp.full(N, component) for component in v)


@pytest.mark.parametrize("shifted", [0, 1], ids=["first photon", "second photon"])
@pytest.mark.parametrize("line", LINES)
def test_every_line_of_two_photon_dimuon_conserves_its_current(line, shifted):
    """J → J + c q changes nothing: each pair of diagrams is gauge invariant by itself."""
    row, column, p_in, mass, *absorbed = lines_of_two_photon_dimuon()[line]

    chain = fermion_line(p_in, mass, *(Incoming(k) for k in absorbed))

    def size(v):
        vertices = [absorb(constant(ANY))] * 2
        vertices[shifted] = absorb(v)
        return sum(
            np.abs(np.asarray(chain(r, c, *vertices))) ** 2
            for r in states(row)
            for c in states(column)
        )

    physical = (
        sum(size(constant(unit)) for unit in np.eye(4))
        * np.asarray(absorbed[shifted].e) ** 2
    )
    assert np.all(size(vector(absorbed[shifted])) / physical < 1e-9**2)


CASES = {
    "dimuon": (Dimuon(), (MU, MU)),
    "ditau": (Ditau(), (TAU, TAU)),
    "dimuon_gamma": (DimuonGamma(), (MU, MU, 0.0)),
    "dimuon_zprime": (DimuonZprime(ZPRIME), (MU, MU, ZPRIME.mass)),
    "two_photon_dimuon": (TwoPhotonDimuon(), (E, E, MU, MU)),
}


@pytest.fixture(params=CASES)
def case(request):
    process, masses = CASES[request.param]
    return process, stacked(*wide_points(*masses))


def test_charge_conjugation(case):
    """Every particle becomes its antiparticle: the slots of each pair change places."""
    process, points = case
    order = np.arange(points.shape[1])
    for first in range(0, points.shape[1] - 1, 2):
        order[[first, first + 1]] = first + 1, first

    assert_allclose(process.msq(points[:, order]), process.msq(points), rtol=1e-9)


def test_parity(case):
    process, points = case

    mirrored = points * jnp.array([1.0, -1.0, -1.0, -1.0])

    assert_allclose(process.msq(mirrored), process.msq(points), rtol=1e-9)


def test_rotations_and_boosts(case):
    process, points = case
    a, b = 0.7, -1.9
    about_z = np.array(
        [[np.cos(a), np.sin(a), 0], [-np.sin(a), np.cos(a), 0], [0, 0, 1]]
    )
    about_x = np.array(
        [[1, 0, 0], [0, np.cos(b), np.sin(b)], [0, -np.sin(b), np.cos(b)]]
    )
    turned = points.at[..., 1:].set(points[..., 1:] @ about_z @ about_x)

    frame = Momentum(*jnp.array([2.0, 0.3, -0.4, 1.0]))
    moving = boost(momentum(turned), frame).array()

    assert_allclose(process.msq(moving), process.msq(points), rtol=1e-9)


@pytest.mark.parametrize(("process", "mass"), [(Dimuon(), MU), (Ditau(), TAU)])
def test_pair_cross_section(process, mass):
    """4πα²β(3-β²)/(6s) from Gauss-Legendre nodes in the angle; m_e enters below 1e-7."""
    nodes, weights = np.polynomial.legendre.leggauss(N)
    s, m2 = jnp.full(N, S), mass**2
    final = two_body(at_rest(s), (m2, m2), jnp.asarray(nodes), 0 * s)
    beams = two_body(at_rest(s), (E**2, E**2), jnp.ones(N), 0 * s)

    msq = np.asarray(process.msq(stacked(beams, final)))

    velocity = np.sqrt(1 - 4 * m2 / S)
    ours = weights @ msq * velocity / (32 * pi * S)
    expected = 4 * pi * ALPHA**2 / S * velocity * (3 - velocity**2) / 6
    assert ours == pytest.approx(expected, rel=1e-6)


def test_running_coupling_rescales_the_photon():
    """One photon of mass² s: |M|² grows by 1/(1-Δα(s))², some 8 % at 10.58 GeV."""
    points = stacked(*wide_points(MU, MU))

    ratio = np.asarray(Dimuon(running_alpha=True).msq(points) / Dimuon().msq(points))

    assert_allclose(ratio, ratio[0], rtol=1e-12)
    assert 1.06 < ratio[0] < 1.10


UNIT_SPINORS = tuple(
    tuple(jnp.full(N, 1.0 + 0j) if i == j else jnp.zeros(N) + 0j for i in range(4))
    for j in range(4)
)


@pytest.mark.parametrize("mass", [pytest.param(TAU, id="tau"), pytest.param(E, id="e")])
def test_spinors_solve_the_dirac_equation(mass):
    rng = np.random.default_rng(3)
    three = rng.normal(size=(3, N))
    p = Momentum(jnp.sqrt(mass**2 + (three**2).sum(axis=0)), *jnp.asarray(three))

    for wave, sign in ((fermion_in(p, mass), 1), (antifermion_out(p, mass), -1)):
        for state in states(wave):
            moved = np.array(slash(vector(p), state))
            assert_allclose(moved, sign * mass * np.array(state), atol=1e-13)
    for wave, sign in ((fermion_out(p, mass), 1), (antifermion_in(p, mass), -1)):
        for state in states(wave):
            columns = (slash(vector(p), unit) for unit in UNIT_SPINORS)
            moved = np.array([scalar(state, column) for column in columns])
            assert_allclose(moved, sign * mass * np.array(state), atol=1e-13)


def test_currents_of_the_same_spinor_are_twice_the_momentum():
    """ū γ^μ u = 2 p^μ and ū u = 2 m fix the normalisation."""
    _, (p, _) = wide_points(TAU, TAU)

    for row, column in zip(
        states(fermion_out(p, TAU)), states(fermion_in(p, TAU)), strict=True
    ):
        found = np.array(current(row, column))
        assert_allclose(found, 2 * np.array(vector(p)), atol=1e-12)
        assert_allclose(scalar(row, column), 2 * TAU, atol=1e-12)


def test_polarisations_are_orthonormal_and_transverse():
    _, (_, _, gamma) = wide_points(MU, MU, 0.0)
    _, (_, _, zprime) = wide_points(MU, MU, ZPRIME.mass)

    for k, leg in ((gamma, photon(gamma)), (zprime, massive_vector(zprime, 2.0))):
        basis = states(leg)
        for i, a in enumerate(basis):
            assert_allclose(contract(a, vector(k)), 0, atol=1e-13)
            for j, b in enumerate(basis):
                assert_allclose(contract(a, b), -float(i == j), atol=1e-12)


def test_half_the_spins_are_enough():
    """Parity times time reversal: flipping all spins maps |M|² onto itself."""
    beams, final = wide_points(MU, MU)
    legs = [
        *(fermion_out(final[0], MU), antifermion_out(final[1], MU)),
        *(fermion_in(beams.first, E), antifermion_in(beams.second, E)),
    ]

    def amplitude(*waves):
        return contract(current(waves[3], waves[2]), current(waves[0], waves[1]))

    def first_spin(index):
        only = [tuple(part[index : index + 1] for part in legs[0]), *legs[1:]]
        return spin_sum(amplitude, only)  # twice one half

    assert_allclose(first_spin(0), first_spin(1), rtol=1e-12)
    assert_allclose(first_spin(0), spin_sum(amplitude, legs), rtol=1e-12)


def test_wrong_number_of_particles_is_refused():
    with pytest.raises(ValueError, match="4 external particles"):
        Dimuon().msq(jnp.ones((3, 5, 4)))


def test_pair_is_what_it_says():
    beams, _ = wide_points(MU, MU)

    assert isinstance(beams, Pair)
    assert_allclose(squared(beams.first + beams.second), S, rtol=1e-12)
