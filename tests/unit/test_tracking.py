"""Tracks: layers, helices, chance to be found, what is measured, and derivatives.

Rows are those of section 6 of physics/machine-detector.md.
"""

from __future__ import annotations

from dataclasses import fields, replace
from itertools import pairwise
from math import erf, sqrt

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from numpy.testing import assert_allclose

from darksector.detectors.bremsstrahlung import hardest_photon
from darksector.detectors.card import load
from darksector.detectors.covariance import covariance, information, passages
from darksector.detectors.helix import CURVATURE, crossing, helix
from darksector.detectors.resolution import classes, look_up
from darksector.detectors.tracking import (
    charge_of,
    check,
    measure_track,
    tabulate,
    track_probability,
    under_hypothesis,
)
from darksector.kinematics import Momentum, modulus, polar, transverse
from darksector.particles import MASS, PDG

TRACKING = load("belle2").tracking
TABLE = tabulate(TRACKING)
PHASE2 = load("belle2_phase2").tracking
MU, E, PI = PDG["mu"], PDG["e"], PDG["pi+"]
SAMPLE = 60_000


def particle(theta_deg, *, p, phi_deg=0.0, mass=MASS["mu"]):
    """Return momenta at given angles, one per element of the longest argument."""
    theta, phi, p = np.broadcast_arrays(
        np.radians(np.atleast_1d(theta_deg)), np.radians(phi_deg), p
    )
    x, y = p * np.sin(theta) * np.cos(phi), p * np.sin(theta) * np.sin(phi)
    energy = np.sqrt(p**2 + mass**2)
    return Momentum(*(jnp.asarray(c) for c in (energy, x, y, p * np.cos(theta))))


def place(x, y, z):
    """Return vertices, cm."""
    x, y, z = np.broadcast_arrays(*map(np.atleast_1d, (x, y, z)))
    return Momentum(*(jnp.asarray(c, dtype=float) for c in (0 * x, x, y, z)))


def normals(n=SAMPLE, seed=3):
    return jnp.asarray(np.random.default_rng(seed).standard_normal((n, 7)))


def measure(p, z, code=MU, *, vertex=None, tracking=TRACKING, table=TABLE):
    return measure_track(tracking, table, p, vertex=vertex, z=z, code=code)


# ---- layers


def test_cells_of_the_drift_chamber():
    """Row 14."""
    cells = np.asarray(TRACKING.wire_cells)
    layers = np.cumsum([0, 8, *[6] * 8])

    sums = [cells[a:b].sum() for a, b in pairwise(layers)]

    assert cells.sum() == 14336
    assert sums == [1280, 960, 1152, 1344, 1536, 1728, 1920, 2112, 2304]


@pytest.mark.parametrize(
    ("radius", "pt"), [(111.14, 0.2499), (120.0, 0.2698), (125.6, 0.2824)]
)
def test_momentum_that_reaches_a_radius(radius, pt):
    """Row 16, in 1.5 T: outermost wires, TOP and ECL."""
    for scale, reached in ((0.999, False), (1.001, True)):
        track = helix(
            particle(90.0, p=scale * pt), None, charge=1, field=jnp.asarray(1.5)
        )

        assert bool(crossing(track, jnp.asarray(radius))[1][0]) is reached


def test_coverage_of_the_first_pixel_layer_in_2018():
    """Row 35: 48.1 degrees."""
    first = np.asarray(PHASE2.ladders)[0]
    table = tabulate(PHASE2)

    assert 2 * first[2] == pytest.approx(48.1, abs=0.1)
    # in sectors of a quarter of a degree
    assert float(table.covered[0].mean()) * 360 == pytest.approx(48.1, abs=0.5)


@pytest.mark.parametrize(
    ("period", "second_layer"),
    [
        pytest.param("belle2", 360.0, id="complete"),
        # ladders 4 and 5 overlap by the windmill: 30 + 2 * 15.5 degrees
        pytest.param("belle2_run1", 61.0, id="Run 1"),
    ],
)
def test_coverage_of_the_second_pixel_layer(period, second_layer):
    covered = tabulate(load(period).tracking).covered.mean(axis=1) * 360

    assert float(covered[1]) == pytest.approx(second_layer, abs=0.5)
    assert_allclose(np.delete(covered, 1), 360)


# ---- helices


@pytest.mark.parametrize("charge", [1, -1])
def test_a_helix_passes_through_its_vertex(charge):
    rng = np.random.default_rng(4)
    p = particle(rng.uniform(30, 150, 50), p=1.0, phi_deg=rng.uniform(-180, 180, 50))
    # outward-going, so that the vertex is the first place at its radius
    out = rng.uniform(0.5, 50, 50)
    vertex = place(out * p.x + 0.1, out * p.y - 0.2, rng.normal(0, 10, 50))
    track = helix(p, vertex, charge=charge, field=TRACKING.field)

    point, crosses = crossing(track, jnp.hypot(vertex.x, vertex.y))

    assert bool(crosses.all())
    for name in "xyz":
        assert_allclose(getattr(point, name), getattr(vertex, name), atol=1e-9)


@pytest.mark.parametrize(
    ("x", "y", "d0"),
    [
        # moving along x at y = 0.5 below the axis: counter-clockwise, L_z > 0
        pytest.param(0.0, -0.5, 0.5, id="counter-clockwise"),
        pytest.param(0.0, 0.5, -0.5, id="clockwise"),
    ],
)
def test_sign_of_the_impact_parameter(x, y, d0):
    track = helix(particle(90.0, p=1.0), place(x, y, 0), charge=1, field=TRACKING.field)

    assert_allclose(track.d0, d0)


def test_charges_bend_as_in_a_field_along_z():
    """F = q v × B turns a positive particle that moves along x towards -y."""
    track = helix(particle(90.0, p=1.0), None, charge=1, field=TRACKING.field)

    assert float(crossing(track, jnp.asarray(100.0))[0].y[0]) < 0
    assert (charge_of(MU), charge_of(-E), charge_of(PI), charge_of(-PI)) == (
        -1,
        1,
        1,
        -1,
    )


# ---- chance to be found


def test_plateau_and_edges():
    """Half of the efficiency at the edges, which are those of the card."""
    at = jnp.stack([TRACKING.theta_min, jnp.asarray(90.0), TRACKING.theta_max])

    chance = track_probability(TRACKING, particle(np.asarray(at), p=2.0), None, MU)

    assert_allclose(chance, np.array([0.5, 1, 0.5]) * float(TRACKING.efficiency))


def test_soft_edges_keep_the_accepted_range():
    theta = np.linspace(10, 160, 30_001)

    chance = track_probability(TRACKING, particle(theta, p=5.0), None, MU)

    accepted = float(chance.mean()) * 150 * 30_001 / 30_000
    assert accepted == pytest.approx(0.98 * (150 - 17), rel=1e-6)


def test_slow_tracks_are_lost():
    pt = np.array([0.04, 0.06, 0.08, 0.2])

    chance = track_probability(TRACKING, particle(90.0, p=pt), None, MU) / 0.98

    expected = [(1 + erf(x / sqrt(2))) / 2 for x in (-1, 0, 1, 7)]
    assert_allclose(chance, expected, rtol=1e-9)


@pytest.mark.parametrize(("name", "ctau"), [("pi+", 780.45), ("K+", 371.1)])
def test_decays_in_flight(name, ctau):
    """exp(-L m / p cτ) with cτ of the Particle Data Group, PTEP 2022 083C01."""
    p = particle(50.0, p=0.7)
    kept, muon = (track_probability(TRACKING, p, None, c) for c in (PDG[name], MU))

    way = float(TRACKING.survival_radius) / np.sin(np.radians(50))
    assert_allclose(kept / muon, np.exp(-way * MASS[name] / (0.7 * ctau)), rtol=1e-12)


def test_displaced_tracks_are_found_less_often():
    p = particle(90.0, p=np.full(3, 1.0))

    chance = track_probability(TRACKING, p, place([0.1, 60, 90], 0, 0), MU) / 0.98

    assert_allclose(chance, [1, 0.5, (1 - erf(sqrt(2))) / 2], rtol=1e-4)


def test_a_displaced_vertex_moves_the_acceptance():
    """At 20 degrees from z = +30 cm a track misses the drift chamber's front."""
    p = particle(20.0, p=np.full(3, 1.0))

    chance = track_probability(TRACKING, p, place(0, 0, [-30, 0, 30]), MU)

    assert_allclose(chance, [0.98, 0.98, 0], atol=1e-4)


# ---- what is measured


@pytest.mark.parametrize("code", [MU, -MU, PI])
def test_perfect_measurement_returns_the_truth(code):
    mass = {MU: MASS["mu"], PI: MASS["pi+"]}[abs(code)]
    p = particle(np.array([20.0, 60.0, 100.0, 145.0]), p=2.0, phi_deg=80, mass=mass)

    track = measure(p, jnp.zeros((4, 7)), code)

    assert_allclose(track.p.array(), p.array(), atol=1e-12)
    assert_allclose([track.d0, track.z0], 0, atol=1e-12)


def test_particles_along_the_axis_give_numbers_but_no_track():
    p = place(0, 0, [3.0, -3.0])

    track = measure(p, normals(2))

    assert_allclose(track_probability(TRACKING, p, None, MU), 0, atol=1e-12)
    assert bool(jnp.isfinite(track.p.array()).all())


def test_another_mass_hypothesis_changes_the_energy_only():
    track = measure(particle(60.0, p=1.0), normals(1))

    kaon = under_hypothesis(track, MASS["K+"])

    assert_allclose(kaon.p.array()[:, 1:], track.p.array()[:, 1:])
    assert_allclose(kaon.p.e**2 - modulus(kaon.p) ** 2, MASS["K+"] ** 2)


@pytest.mark.parametrize("charge", [1, -1])
def test_errors_are_those_of_the_fit(charge):
    """Without tails; 1 % is the table's interpolation, 4 of 1000 the sample's error."""
    tracking = replace(TRACKING, tail_width=jnp.asarray(1.0))
    p = particle(70.0, p=np.full(SAMPLE, 1.2), phi_deg=33)
    pt, cot = transverse(p)[:1], (p.z / transverse(p))[:1]
    known = information(passages(tracking, pt, cot), jnp.ones(64))
    expected = np.asarray(covariance(known))[0] * np.outer(*2 * [[charge] * 3 + [1, 1]])

    track = measure(p, normals(), -charge * MU, tracking=tracking)

    omega = charge * CURVATURE * tracking.field / transverse(track.p)
    cot = track.p.z / transverse(track.p)
    phi = jnp.arctan2(track.p.y, track.p.x)
    found = np.cov(np.stack([track.d0, phi, omega, track.z0, cot]))
    sigma = np.sqrt(np.diag(expected))
    assert_allclose(
        found / np.outer(sigma, sigma), expected / np.outer(sigma, sigma), atol=0.03
    )


def test_tails_have_the_width_that_full_simulation_shows():
    """Pulls of 45 clean tracks: 68 % half-width 1.07, rms 1.9 (section 2.4)."""
    p = particle(90.0, p=np.full(SAMPLE, 1.0))
    narrow = replace(TRACKING, tail_width=jnp.asarray(1.0))
    sigma = np.std(1 / transverse(measure(p, normals(), tracking=narrow).p))

    pulls = np.abs(1 / transverse(measure(p, normals()).p) - 1) / sigma

    assert np.quantile(pulls, 0.6827) == pytest.approx(1.07, abs=0.02)
    assert np.sqrt(np.mean(pulls**2)) == pytest.approx(1.9, abs=0.1)


@pytest.mark.parametrize(
    ("radius", "worse"),
    [
        pytest.param(3.0, 1.5, id="beyond the pixels"),
        pytest.param(15.0, 3.0, id="beyond all silicon"),
        pytest.param(50.0, 10.0, id="in the drift chamber"),
    ],
)
def test_displaced_tracks_are_measured_worse(radius, worse):
    """No layer inside the decay has a hit; the impact parameter suffers most."""
    p = particle(80.0, p=np.full(SAMPLE, 1.0))
    prompt = np.std(measure(p, normals()).d0)

    displaced = measure(p, normals(), vertex=place(np.full(SAMPLE, radius), 0, 0))

    assert np.std(displaced.d0) > worse * prompt


def test_silicon_covers_a_part_of_the_azimuth_in_2018():
    """z0 of a track at azimuth 0 is that of silicon, elsewhere of the wires."""
    table = tabulate(PHASE2)
    widths = [
        np.std(
            measure(
                particle(90.0, p=np.full(2000, 3.0), phi_deg=phi),
                normals(2000),
                tracking=PHASE2,
                table=table,
            ).z0
        )
        for phi in (0.0, 90.0)
    ]

    assert widths[0] < 0.01  # 16 um of all layers, with tails
    assert widths[1] > 0.1  # 1155 um of the drift chamber (tracking_reference.csv)


def test_the_table_is_fine_enough():
    """2 % for most; 13 % where the number of wires changes fast with the angle."""
    rng = np.random.default_rng(6)
    pt = jnp.asarray(np.exp(rng.uniform(np.log(0.3), np.log(6), 400)))
    cot = jnp.asarray(1 / np.tan(np.radians(rng.uniform(30, 130, 400))))
    everything = jnp.full(400, 127)

    rows = look_up(TABLE, everything, pt, cot)

    exact = np.asarray(
        covariance(information(passages(TRACKING, pt, cot), jnp.ones(64)))
    )
    ours = np.stack([sum(f**2 for f in row) for row in rows], axis=1)
    ratio = np.sqrt(ours / np.diagonal(exact, axis1=1, axis2=2))
    assert_allclose(ratio, 1, atol=0.13)
    assert_allclose(np.quantile(ratio, [0.1, 0.9], axis=0), 1, atol=0.02)
    assert_allclose(np.median(ratio, axis=0), 1, atol=0.003)


def test_classes_name_what_is_crossed():
    masks = classes(6, 56)

    assert masks.shape == (136, 64)
    assert_allclose(masks[127], 1)
    assert_allclose(masks[0], np.arange(64) > 6)
    assert_allclose(masks[-1], np.arange(64) >= 8 + 49)


# ---- bremsstrahlung


@pytest.mark.parametrize("share", [1e-4, 0.02, 0.3, 0.9])
def test_hardest_photon_has_the_spectrum_of_tsai(share):
    """No photon above y with the chance exp(-t ∫(4/3 - 4/3 y + y²)/y dy), numerically."""
    y = np.geomspace(share, 1, 200_001)
    integral = np.trapezoid((4 / 3 - 4 / 3 * y + y**2) / y, y)
    path = jnp.array([0.03])

    assert_allclose(hardest_photon(path, -path * integral), share, rtol=1e-7)


def test_electrons_lose_what_the_material_takes():
    """The mean loss per radiation length is 1 (Rev. Mod. Phys. 46, 815); recovery halves
    it."""
    thin = replace(TRACKING, tail_width=jnp.asarray(1.0))
    p = particle(90.0, p=np.full(SAMPLE, 1.0), mass=MASS["e"])

    loss = 1 - transverse(measure(p, normals(), E, tracking=thin).p)

    # pipe, silicon by its scale, wall, half of the gas
    path = 0.00791 + 0.5 * 0.032 + 0.0031 + (111.14 - 16.25) / 26000 / 2
    assert float(loss.mean()) == pytest.approx(0.5 * path, rel=0.05)
    assert np.median(loss) < 0.1 * path


# ---- derivatives


def numbers_with_slopes():
    skipped = {"ladders", "silicon_z_min", "silicon_z_max", "wire_cells"}
    return [f.name for f in fields(TRACKING) if f.name not in skipped]


RNG = np.random.default_rng(8)
TRACKS = particle(
    RNG.uniform(16, 151, 64),
    p=RNG.uniform(0.05, 3, 64),
    phi_deg=RNG.uniform(-180, 180, 64),
)
VERTICES = place(*RNG.normal(0, 3, (3, 64)))


CROSSED = jnp.asarray(classes(6, 56)[RNG.integers(0, 136, 64)].T)


@jax.jit
def summary(tracking):
    """Return something that every number of the card moves; the table stays."""
    found = track_probability(tracking, TRACKS, VERTICES, PI)
    track = measure(TRACKS, normals(64), E, vertex=VERTICES, tracking=tracking)
    pt = transverse(TRACKS)
    seen = passages(tracking, jnp.maximum(pt, 0.2), TRACKS.z / pt)
    known = information(seen, CROSSED)
    errors = jnp.log(jnp.diagonal(known)).mean()
    return found.mean() + track.d0.mean() + (1 / transverse(track.p)).mean() + errors


@jax.jit
def slope_of_summary(tracking, direction):
    return jax.jvp(summary, (tracking,), (direction,))[1]


@pytest.mark.slow
@pytest.mark.parametrize("name", numbers_with_slopes())
def test_derivatives_agree_with_differences(name):
    here = getattr(TRACKING, name)
    if name in {"pipe", "wall"}:  # the radii are steps for the vertices
        direction = jnp.zeros_like(here).at[:, -1].set(here[:, -1])
    else:
        direction = here
    zero = jax.tree.map(jnp.zeros_like, TRACKING)

    slope = slope_of_summary(TRACKING, replace(zero, **{name: direction}))

    above, below = (
        summary(replace(TRACKING, **{name: here + x * direction}))
        for x in (1e-6, -1e-6)
    )
    assert_allclose(slope, (above - below) / 2e-6, rtol=1e-4, atol=1e-8)


def test_derivative_of_the_resolution_through_the_table():
    """The rms of the measured curvature, as the resolution of the wires changes."""
    p = particle(90.0, p=np.full(500, 5.0))

    def spread(resolution):
        tracking = replace(TRACKING, wire_resolution=resolution)
        table = tabulate(tracking)
        track = measure(p, normals(500), tracking=tracking, table=table)
        return jnp.std(1 / transverse(track.p))

    here, step = TRACKING.wire_resolution, 1e-6
    slope = jax.jvp(spread, (here,), (1.0,))[1]

    difference = (spread(here + step) - spread(here - step)) / (2 * step)
    assert float(slope) > 0
    assert_allclose(slope, difference, rtol=1e-5)


def test_derivative_in_the_edge_of_the_acceptance():
    """d/dθ_min of the accepted share of uniform angles is -efficiency / range."""
    theta = np.linspace(10, 160, 30_001)

    def accepted(edge):
        tracking = replace(TRACKING, theta_min=edge)
        return track_probability(tracking, particle(theta, p=5.0), None, MU).mean()

    slope = jax.jvp(accepted, (TRACKING.theta_min,), (1.0,))[1]

    assert float(slope) == pytest.approx(-0.98 / 150, rel=1e-3)


# ---- bad cards


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        pytest.param("efficiency", 1.2, "is 1.2; allowed: 0 to 1", id="efficiency"),
        pytest.param("field", 0.0, "value 0.0; allowed: above 0", id="no field"),
        pytest.param("wire_resolution", -0.01, "-0.01; allowed: above 0", id="sign"),
        pytest.param(
            "theta_min", 151.0, "is 151.0, not below theta_max = 150.0", id="edges"
        ),
        pytest.param(
            "silicon_z_min",
            [-3, -4, 16, -16, -20, -25],
            "is 16, not below silicon_z_max = 15.379",
            id="ends of a layer",
        ),
        pytest.param(
            "silicon_radius",
            [1.4, 2.2, 3.9, 10.4, 8.0, 13.5],
            "falls from 10.4 to 8.0; allowed: increasing radii",
            id="order",
        ),
        pytest.param(
            "silicon_x0", [0.002, 0.002], "has the shape (2,) but silicon_radius (6,)",
            id="columns",
        ),
        pytest.param("pipe", [1.0, 1.2], "must be rows of 3 numbers", id="rows"),
        pytest.param(
            "ladders", [[7, 0, 10]], "has a ladder of layer 7; allowed: 1 to 6",
            id="layer",
        ),
        pytest.param(
            "ladders", [[1, 0, 0]], "has the half-width 0 degrees", id="half-width"
        ),
    ],
)  # fmt: skip
def test_bad_numbers_are_named(name, value, words):
    numbers = {f.name: np.asarray(getattr(TRACKING, f.name)) for f in fields(TRACKING)}

    found = list(check({**numbers, name: np.asarray(value)}))

    assert list(check(numbers)) == []
    assert [key for key, _ in found] == [name]
    assert words in found[0][1]


def test_too_many_layers_for_the_table():
    numbers = {f.name: np.asarray(getattr(TRACKING, f.name)) for f in fields(TRACKING)}
    layers = {
        k: np.arange(1.0, 10.0)
        for k in numbers
        if k.startswith("silicon_") and k != "silicon_scale"
    }

    found = dict(check({**numbers, **layers}))

    assert "has 9 layers; allowed: at most 8" in found["silicon_radius"]


def test_angles_stay_where_they_were():
    """The mean of the measured polar angle is the true one."""
    p = particle(40.0, p=np.full(SAMPLE, 2.0))

    theta = polar(measure(p, normals()).p)

    assert float(theta.mean()) == pytest.approx(np.radians(40), abs=5e-5)
