"""Closed forms, limits and errors of luminosity and luminous region."""

from __future__ import annotations

from dataclasses import replace
from math import inf, pi

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.special import erfcx, k0e

from darksector import luminosity, overlap
from darksector.beams import LuminousRegion, Ring
from darksector.cardfile import MACHINES
from darksector.errors import InvalidCard, MissingNumber, OutOfDomain
from darksector.machines import from_toml, load

DESIGN = load("superkekb_design")
COMPLETE = ("superkekb", "superkekb_design", "kekb", "pep2", "bepc2")


def changed(machine, **values):
    """Return the machine with the same changes in both rings."""
    her, ler = (replace(ring, **values) for ring in (machine.her, machine.ler))
    return replace(machine, her=her, ler=ler)


def test_head_on_parallel_bunches_have_the_textbook_luminosity():
    """f n N+ N- / (4 pi sigma_x sigma_y) for equal bunches."""
    same = changed(DESIGN, sigma_x=1e-3, sigma_y=5e-6, beta_x=inf, beta_y=inf)
    machine = replace(same, half_crossing_angle=0.0)
    n = luminosity.particles_per_bunch(machine)

    crossings = luminosity.revolution_frequency(machine) * machine.n_bunches
    expected = crossings * n.her * n.ler / (4 * pi * 1e-3 * 5e-6)

    assert luminosity.geometric(machine) == pytest.approx(expected, rel=1e-12)
    assert overlap.luminosity(machine) == pytest.approx(expected, rel=1e-10)


@pytest.mark.parametrize("name", COMPLETE)
def test_parallel_bunches_have_the_geometric_luminosity(name):
    """The integral is then Gaussian in all variables, with any crossing angle."""
    machine = changed(load(name), beta_x=inf, beta_y=inf)

    assert overlap.luminosity(machine) == pytest.approx(
        luminosity.geometric(machine), rel=1e-10
    )


@pytest.mark.parametrize("name", COMPLETE)
def test_the_hourglass_costs_luminosity(name):
    machine = load(name)

    assert 0.5 < overlap.hourglass_factor(machine) < 1
    assert 0 < luminosity.crossing_factor(machine) <= 1


@pytest.mark.parametrize(
    ("beta_x", "factor"),
    [
        pytest.param(
            inf, lambda t: t / np.sqrt(pi) * k0e(t**2 / 2), id="flat: in y alone"
        ),
        pytest.param(0.4, lambda t: np.sqrt(pi) * t * erfcx(t), id="round: in x and y"),
    ],
)
def test_head_on_hourglass_is_that_of_the_closed_form(beta_x, factor):
    """Furman and Zisman; t = β_y/σ_z; k0e and erfcx have their exponentials in them."""
    same = changed(DESIGN, beta_x=beta_x, beta_y=0.4, sigma_z=0.6)
    equal = changed(same, sigma_x=1e-3, sigma_y=5e-6)
    machine = replace(equal, half_crossing_angle=0.0)

    assert overlap.hourglass_factor(machine) == pytest.approx(
        factor(0.4 / 0.6), rel=1e-9
    )


def test_exchanging_the_rings_mirrors_the_collision():
    mirrored = replace(DESIGN, her=DESIGN.ler, ler=DESIGN.her)
    here, there = (overlap.luminous_region(m) for m in (DESIGN, mirrored))

    assert overlap.luminosity(mirrored) == pytest.approx(
        overlap.luminosity(DESIGN), rel=1e-10
    )
    assert there.correlation_xz == pytest.approx(-here.correlation_xz, rel=1e-8)
    assert there.sigma_z == pytest.approx(here.sigma_z, rel=1e-8)


def test_equal_bunches_head_on_collide_half_a_bunch_length_around_the_centre():
    """Var(z) = Var(ct) = sigma_z²/2 for equal parallel bunches."""
    same = changed(DESIGN, sigma_x=1e-3, sigma_z=0.6, beta_x=inf, beta_y=inf)
    region = overlap.luminous_region(replace(same, half_crossing_angle=0.0))

    assert_allclose([region.sigma_z, region.sigma_ct], 0.6 / np.sqrt(2), rtol=1e-9)
    assert region.sigma_x == pytest.approx(1e-3 / np.sqrt(2), rel=1e-9)


def test_moments_are_those_of_drawn_collisions():
    """A slow twin: particles of both bunches weighted by each other's density."""
    machine = changed(load("kekb"), beta_x=inf, beta_y=inf)
    rng, phi = np.random.default_rng(5), machine.half_crossing_angle
    z, ct = rng.uniform(-1.5, 1.5, (2, 400_000))
    x = rng.uniform(-0.08, 0.08, len(z))
    density = 1.0
    for sign, ring in ((1, machine.her), (-1, machine.ler)):
        along = x * np.sin(phi) + sign * z * np.cos(phi) - ct
        across = x * np.cos(phi) - sign * z * np.sin(phi)
        density = density * np.exp(
            -((along / ring.sigma_z) ** 2) / 2 - (across / ring.sigma_x) ** 2 / 2
        )

    region = overlap.luminous_region(machine)

    for values, sigma in (
        (x, region.sigma_x),
        (z, region.sigma_z),
        (ct, region.sigma_ct),
    ):
        assert np.sqrt(np.average(values**2, weights=density)) == pytest.approx(
            sigma, rel=0.02
        )
    covariance = np.average(x * z, weights=density)
    assert covariance / (region.sigma_x * region.sigma_z) == pytest.approx(
        region.correlation_xz, abs=0.02
    )


@pytest.mark.parametrize("name", ["superkekb", "kekb"])
def test_luminous_region_of_a_card_follows_from_its_optics(name):
    machine = load(name)

    for quantity in ("sigma_x", "sigma_y", "sigma_z", "correlation_xz", "sigma_ct"):
        assert getattr(machine.luminous_region, quantity) == pytest.approx(
            getattr(overlap.luminous_region(machine), quantity), rel=2e-3
        )


@pytest.mark.parametrize("name", MACHINES.names())
def test_sizes_of_cards_are_those_of_emittance_and_beta(name):
    machine = load(name)

    for ring in (machine.her, machine.ler):
        for plane in ("x", "y"):
            sigma, emittance, beta = (
                getattr(ring, f"{quantity}_{plane}")
                for quantity in ("sigma", "emittance", "beta")
            )
            if None not in (sigma, emittance, beta):
                assert sigma == pytest.approx(np.sqrt(emittance * beta), rel=0.01)


def test_vertices_have_the_moments_of_the_region():
    region = LuminousRegion(1e-3, 4e-6, 0.02, -0.6, 0.4, x=0.05, y=-0.02, z=0.1)
    u = np.random.default_rng(2).random((200_000, 4))

    ct, x, y, z = region.vertices(u).T

    assert_allclose([x.mean(), y.mean(), z.mean()], [0.05, -0.02, 0.1], atol=1e-3)
    assert_allclose(
        [x.std(), y.std(), z.std(), ct.std()], [1e-3, 4e-6, 0.02, 0.4], rtol=0.01
    )
    correlations = np.corrcoef([ct, x, y, z])
    assert correlations[1, 3] == pytest.approx(-0.6, abs=0.01)
    others = correlations[[0, 0, 0, 1, 2], [1, 2, 3, 2, 3]]
    assert_allclose(others, 0, atol=0.01)


def test_vertices_are_finite_at_the_edge_of_the_cube():
    region = LuminousRegion(1e-3, 4e-6, 0.02, 0.0, 0.4)

    assert np.isfinite(region.vertices(np.zeros((1, 4)))).all()


@pytest.mark.parametrize(
    ("quantity", "missing"),
    [
        pytest.param(luminosity.formula, "her.current", id="formula"),
        pytest.param(luminosity.geometric, "ler.sigma_z", id="geometric"),
        pytest.param(overlap.luminosity, "n_bunches", id="overlap"),
        pytest.param(luminosity.piwinski_angle, "ler.sigma_z", id="Piwinski angle"),
        pytest.param(luminosity.beam_beam_parameter, "her.sigma_y", id="xi_y"),
    ],
)
def test_one_error_lists_all_that_a_card_lacks(quantity, missing):
    with pytest.raises(MissingNumber, match=r"Phase 2.* add what is missing") as error:
        quantity(load("superkekb_2018"))

    assert missing in error.value.names
    assert len(error.value.names) > 3 or quantity is luminosity.piwinski_angle


def test_a_symmetric_pair_of_rings_without_circumference_is_named():
    with pytest.raises(MissingNumber, match="has no circumference"):
        luminosity.revolution_frequency(replace(DESIGN, circumference=None))


@pytest.mark.parametrize(
    ("build", "message"),
    [
        pytest.param(
            lambda: Ring(beta_y=0.0), "beta_y of a ring must be > 0", id="ring"
        ),
        pytest.param(
            lambda: replace(DESIGN, n_bunches=-1.0),
            "n_bunches of SuperKEKB",
            id="bunches",
        ),
        pytest.param(
            lambda: LuminousRegion(-1.0, 1.0, 1.0, 0.0, 0.0), "widths", id="width"
        ),
        pytest.param(
            lambda: LuminousRegion(1.0, 1.0, 1.0, 1.0, 0.0),
            r"\(-1, 1\)",
            id="correlation",
        ),
    ],
)
def test_impossible_optics(build, message):
    with pytest.raises(OutOfDomain, match=message):
        build()


@pytest.mark.parametrize(
    ("extra", "message"),
    [
        pytest.param(
            "[her.beta_z]\nvalue = 1.0",
            r"'mine', \[her\] has the unknown key 'beta_z'",
            id="unknown optics",
        ),
        pytest.param(
            '[her.xi_y]\nvalue = [1.0]\nsource = "s"\nstatus = "read"',
            r"line 4, \[her.xi_y\] must be one number",
            id="array",
        ),
        pytest.param(
            "[her.beta_y]\nvalue = 1.0",
            r"'mine', line 4, \[her.beta_y\] lacks source, status",
            id="no source",
        ),
        pytest.param(
            '[data_sets.a]\ntitle = "a"\nstart = "2019"\nvalue = 1.0\nsource = "s"\n'
            'status = "read"',
            "line 4, .*start must be a date like",
            id="no date",
        ),
        pytest.param(
            "[data_sets.a]\nstart = 2019-01-01",
            "lacks source, status, title",
            id="record",
        ),
    ],
)
def test_bad_optics_of_a_card(extra, message):
    text = f'title = "mine"\nbased_on = "superkekb_2018"\n\n{extra}\n'

    with pytest.raises(InvalidCard, match=message):
        from_toml(text, origin="mine")


def test_a_period_must_not_end_before_it_starts():
    text = (
        'title = "mine"\nbased_on = "superkekb_2018"\n[data_sets.a]\ntitle = "a"\n'
        'start = 2019-01-02\nend = 2019-01-01\nvalue = 1\nsource = "s"\nstatus = "read"'
    )

    with pytest.raises(OutOfDomain, match="before its start on 2019-01-02"):
        from_toml(text, origin="mine")


@pytest.mark.parametrize("name", MACHINES.names())
def test_cards_have_sources_for_all(name):
    machine = load(name)

    assert all(origin.source for origin in machine.origins.values())
    assert all(record.origin.source for record in machine.data_sets)
