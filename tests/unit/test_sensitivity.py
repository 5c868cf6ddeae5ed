"""Derivatives of yields and limits by numbers of the detector, and their command."""

from __future__ import annotations

import csv
import json
from dataclasses import replace

import jax.numpy as jnp
import numpy as np
import pytest
from click.testing import CliRunner
from numpy.testing import assert_allclose

import darksector as ds
from darksector.cli import main
from darksector.detectors.response import respond
from darksector.errors import InvalidConfig, UnknownName
from darksector.registry import SEARCHES
from darksector.searches import _sensitivity, pipeline
from darksector.searches._counting import cls_band
from darksector.searches._derivatives import _slopes, _taken, scaled
from darksector.searches._sensitivity import LUMINOSITY, Sensitivities, sensitivities
from darksector.searches._simulation import Sample, prepared
from darksector.searches._slopes import coupling_slopes
from darksector.searches._soft_windows import SoftWindows
from darksector.searches._yields import Yields, best_windows
from darksector.searches.base import Execution, Inputs
from darksector.statistics.likelihood import CountingModel

SEARCH = SEARCHES.load("dark_photon_invisible")
NAMES = _sensitivity.NUMBERS[:-1]
GAPS, LEAKAGE, KLM, RESOLUTION, THRESHOLD = NAMES
EVENTS = 4096


def plan(search=SEARCH, *, masses="0.1,6"):
    return pipeline.plan(
        search, luminosity="20/fb", masses=masses, seed=1, inputs=Inputs()
    )


def everywhere(ends, width):
    """Return one window from 20 to 150 degrees."""
    return SoftWindows(
        jnp.array([ends]), jnp.array([width]), jnp.array([[20.0]]), jnp.array([[150.0]])
    )


# ---- soft windows


def test_soft_edges_end_and_keep_the_size_of_a_window():
    """The integral over the value is the distance of the ends, whatever the width."""
    ends, width = (3.0, 7.0), 1.5
    windows = everywhere(ends, width)
    value = jnp.linspace(0.0, 10.0, 10_001)
    energy, theta = jnp.full_like(value, 3.0), jnp.full_like(value, np.pi / 2)

    inside = np.asarray(windows.inside(value, energy, theta))[0]

    assert inside.sum() * 1e-3 == pytest.approx(ends[1] - ends[0], rel=1e-6)
    far = (value < ends[0] - width / 2) | (value > ends[1] + width / 2)
    assert not inside[far].any()
    assert (inside[(value > ends[0] + width) & (value < ends[1] - width)] == 1).all()


def test_polar_edges_follow_the_energy():
    """Half of a candidate on an edge is inside: lower edge 10 E + 30 degrees."""
    windows = SoftWindows(
        jnp.array([[0.0, 9.0]]),
        jnp.array([1.0]),
        jnp.array([[10.0, 30.0]]),
        jnp.array([[0.0, 120.0]]),
    )
    angle = jnp.deg2rad(jnp.array([59.0, 60.0, 61.0, 120.0]))

    inside = windows.inside(jnp.full(4, 5.0), jnp.full(4, 3.0), angle)

    assert_allclose(inside[0], [0, 0.5, 1, 0.5], atol=1e-9)


# ---- numbers


def test_gaps_open_around_their_middle_and_resolutions_keep_their_energies():
    response = respond(ds.detector("belle2"))
    before = response.detector.calorimeter

    after = scaled(response, (GAPS, RESOLUTION), (1.5, 2.0)).detector.calorimeter

    assert_allclose(after.gaps.mean(axis=1), before.gaps.mean(axis=1))
    assert_allclose(jnp.diff(after.gaps), 1.5 * jnp.diff(before.gaps))
    old, new = before.energy_resolution, after.energy_resolution
    assert_allclose(new[..., 0], old[..., 0])
    assert_allclose(new[..., 1:], 2 * old[..., 1:])


def test_slopes_of_yields_are_those_of_central_differences():
    """Pairs of photons, the trigger's threshold moved to where it cuts into them."""
    sample = Sample(SEARCH, "diphoton", 0.0, 1, 0)
    ready = _taken(prepared(sample), np.arange(EVENTS))
    threshold = scaled(ready.response, (THRESHOLD,), (5.2,))
    ready = replace(ready, response=threshold)
    windows = everywhere((-6.0, 6.0), 2.0)
    wanted = (SEARCH, NAMES)

    def yields(factors):
        moved = replace(ready, response=scaled(ready.response, NAMES, list(factors)))
        return np.asarray(_slopes(wanted, moved, windows)[1])[0, 0]

    slopes = np.asarray(_slopes(wanted, ready, windows)[0])[0, 0]

    step = 1e-4
    moves = step * np.eye(len(NAMES))
    differences = [(yields(1 + d) - yields(1 - d)) / (2 * step) for d in moves]
    assert (slopes != 0).all()
    assert_allclose(slopes, differences, rtol=1e-4)


# ---- limits


def made_up(*, sizes=(0.2, 0.05)):
    """Return yields of two masses, two components and three numbers."""
    random = np.random.default_rng(5)
    return Yields(
        np.array([0.2, 0.05]),
        random.normal(0, 0.02, (2, 3)),
        np.array([[3.0, 0.4], [20.0, 0.02]]),
        random.normal(0, 0.5, (2, 2, 3))
        * np.array([[3.0, 0.4], [20.0, 0.02]])[..., None],
        np.diag(sizes),  # each component has a source of its own
    )


def coupling_limits(this, moved):
    """Return limits on the coupling, up to a factor: no derivative is used.

    `moved` has signals and components of each case; all windows are one batch.
    """
    signal = np.concatenate([signal for signal, _ in moved])
    background = np.concatenate([background for _, background in moved], axis=1)
    total = background.sum(axis=0)
    sizes = np.diag(made_up().sizes)[:, None]
    counting = CountingModel(
        this.luminosity * signal,
        this.luminosity * total,
        np.sqrt(((sizes * background) ** 2).sum(axis=0)) / total,
        this.search.systematics,
    )
    band = cls_band(counting, confidence_level=this.search.confidence_level)
    return np.sqrt(np.asarray(band[:, 2])).reshape(len(moved), -1)


def test_slopes_of_the_limit_are_those_of_central_differences():
    """Differences of ln(limit), the yields moved along their slopes."""
    this, at, step = plan(), made_up(), 1e-4
    moved = [
        (
            at.efficiency + by * at.efficiency_slopes[:, k],
            at.background + by * at.background_slopes[..., k],
        )
        for by in (-step, step)
        for k in range(3)
    ]

    (found,) = coupling_slopes(this, [at])

    low, high = np.log(coupling_limits(this, moved)).reshape(2, 3, 2)
    assert_allclose(found[:, :3].T, (high - low) / (2 * step), rtol=1e-4, atol=1e-7)


def test_much_data_with_a_known_background_gain_with_the_fourth_root():
    """The limit on s is proportional to √B, so that on the coupling to (√L/L)^(1/2)."""
    exact = replace(SEARCH, systematics=())
    at = made_up(sizes=(0.0, 0.0))
    large = replace(at, background=1e6 * at.background, efficiency=at.efficiency * 1e-3)

    (found,) = coupling_slopes(plan(exact), [large])

    assert_allclose(found[:, -1], -0.25, atol=1e-3)


def test_a_window_without_signal_has_no_slope():
    at = made_up()

    (found,) = coupling_slopes(plan(), [replace(at, efficiency=np.array([0.2, 0.0]))])

    assert np.isfinite(found[0]).all()
    assert np.isnan(found[1]).all()


def test_each_mass_takes_its_best_window():
    """Two windows per mass; the second of the first mass, the first of the second."""
    four = Yields(
        np.array([0.1, 0.2, 0.1, 0.01]),
        np.zeros((4, 1)),
        np.ones((1, 4)),
        np.zeros((1, 4, 1)),
        np.array([[0.1]]),
    )

    assert best_windows(plan(), four).tolist() == [1, 2]


# ---- what is refused


@pytest.mark.parametrize(
    ("search", "numbers", "error", "message"),
    [
        pytest.param(
            "zprime_invisible",
            NAMES,
            InvalidConfig,
            "dark_photon_invisible",
            id="search",
        ),
        pytest.param(
            "dark_photon_invisible", (LUMINOSITY,), InvalidConfig, GAPS, id="no number"
        ),
        pytest.param(
            "dark_photon_invisible",
            ("calorimeter.gap",),
            UnknownName,
            "Did you mean 'calorimeter.gaps'",
            id="unknown",
        ),
        pytest.param(
            "dark_photon_invisible",
            ("tracking.efficiency",),
            UnknownName,
            "tracking.efficiency",
            id="system with tables",
        ),
    ],
)
def test_what_cannot_be_differentiated_is_refused(search, numbers, error, message):
    with pytest.raises(error, match=message):
        sensitivities(
            plan(SEARCHES.load(search), masses="1"),
            numbers=numbers,
            execution=Execution(1),
        )


# ---- command


@pytest.fixture
def computed(monkeypatch):
    """Replace the computation by numbers of its shape, one of them without a limit."""
    slopes = np.linspace(-0.4, 0.5, 12).reshape(2, 6)
    slopes[1, 0] = np.nan
    errors = np.full((2, 6), 0.01)
    monkeypatch.setattr(
        _sensitivity,
        "sensitivities",
        lambda this, *, execution: Sensitivities(
            this.masses,
            ("low mass", "high mass"),
            _sensitivity.NUMBERS,
            slopes,
            errors,
        ),
    )
    return slopes


def test_command_writes_a_table_and_a_figure(computed, tmp_path):
    done = CliRunner().invoke(
        main,
        [
            *("sensitivity", "dark_photon_invisible", "--masses", "0.1,8"),
            *("--output", str(tmp_path), "--json"),
        ],
    )

    assert done.exit_code == 0, done.output
    printed = json.loads(done.stdout)
    with (tmp_path / "sensitivity.csv").open(newline="") as file:
        written = list(csv.DictReader(file))
    assert len(printed) == len(written) == computed.size
    assert printed[6]["slope"] is None
    assert written[6]["slope"] == ""
    assert float(written[3]["slope"]) == computed[0, 3]
    assert written[3]["number"] == RESOLUTION
    for suffix in ("png", "pdf"):
        assert (tmp_path / f"sensitivity.{suffix}").stat().st_size > 1000


def test_command_names_what_it_can_do():
    done = CliRunner().invoke(
        main, ["sensitivity", "zprime_invisible", "--masses", "1"]
    )

    assert done.exit_code == 1
    assert "dark_photon_invisible" in done.stderr
