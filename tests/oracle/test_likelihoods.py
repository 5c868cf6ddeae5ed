"""Probit model of identification against toys that draw what each detector measures.

Written in NumPy in the order of the formula; of the package only the numbers of the card
are used, with the limits on separations lifted, as toys have no tails.
"""

from __future__ import annotations

from dataclasses import replace

import jax.numpy as jnp
import numpy as np
import pytest
from scipy.stats import norm

from darksector.detectors.card import load
from darksector.detectors.identification import roc
from darksector.detectors.klm import penetration
from darksector.detectors.punch_through import muon_likeness
from darksector.detectors.separation import energy_over_momentum

CARD = load("belle2")
NUMBERS = replace(
    CARD.identification,
    **{name: jnp.asarray(1e3) for name in ("top_max", "ring_max", "separation_max")},
)
# the number of photons alone is not used by the toys
NUMBERS = replace(NUMBERS, top_background=jnp.asarray(1e9))
N = 200_000
MASS = {"pi": 0.13957039, "K": 0.493677}
LIGHT = 29.9792458


def photon_time(p, mass):
    """Arrival of direct photons of a track at 90 degrees, ns, and number of them."""
    i = NUMBERS
    slowness = np.hypot(1, mass / p)
    sin = np.sqrt(1 - (slowness / i.top_index) ** 2)
    time = (i.top_radius * slowness + i.top_index * i.top_propagation / sin) / LIGHT
    return float(time), float(i.top_photons * sin**2 / (1 - 1 / i.top_index**2))


def ionisation(p, mass):
    """Restricted energy loss, any unit: the formula of the review."""
    x0, x1, a, k, c = np.asarray(NUMBERS.dedx_density)
    beta_gamma = p / mass
    beta2 = beta_gamma**2 / (1 + beta_gamma**2)
    x = np.log10(beta_gamma)
    delta = 2 * np.log(10) * x - c + (a * (x1 - x) ** k if x < x1 else 0)
    delta = delta if x > x0 else 0.0
    peak = 2 * 510998.95 * beta_gamma**2 * NUMBERS.dedx_cut
    half = np.log(float(peak) / float(NUMBERS.dedx_excitation) ** 2) / 2
    return (half - beta2 / 2 - delta / 2) / beta2


def draw(species, p, rng):
    """Return mean photon time and dE/dx of many tracks of one species."""
    time, photons = photon_time(p, MASS[species])
    count = np.maximum(rng.poisson(photons, N), 1)
    spread = rng.standard_normal(N) * NUMBERS.top_time / np.sqrt(count)
    start = rng.standard_normal(N) * NUMBERS.top_start
    loss = ionisation(p, MASS[species])
    width = NUMBERS.dedx_resolution * (ionisation(p, 0.49) + ionisation(p, 0.14)) / 2
    return time + spread + start, loss + width * rng.standard_normal(N), count


def likelihood_ratio(times, losses, count, p):
    """Return log L(K) / L(pi) of measured tracks."""
    variance = NUMBERS.top_time**2 / count + NUMBERS.top_start**2
    width = NUMBERS.dedx_resolution * (ionisation(p, 0.49) + ionisation(p, 0.14)) / 2
    ratio = 0.0
    for species, sign in (("K", 1), ("pi", -1)):
        time, _ = photon_time(p, MASS[species])
        loss = ionisation(p, MASS[species])
        ratio += sign * norm.logpdf(times, time, np.sqrt(variance))
        ratio += sign * norm.logpdf(losses, loss, width)
    return np.asarray(ratio)


@pytest.mark.parametrize("p", [3.0, 4.0, 5.0])
@pytest.mark.parametrize("efficiency", [0.8, 0.9, 0.95])
def test_kaons_and_pions_in_toys(p, efficiency):
    """Poisson numbers of photons change the separation of the probit by 3 % at most."""
    rng = np.random.default_rng(1)
    kaons, pions = (likelihood_ratio(*draw(s, p, rng), p) for s in ("K", "pi"))
    cut = np.quantile(kaons, 1 - efficiency)
    fake = (pions > cut).mean()

    curve = roc((NUMBERS, CARD.klm), ("K", "pi"), p=p, theta=np.pi / 2)
    ours = np.interp(efficiency, curve.efficiency, norm.ppf(curve.fake_rate))

    wanted = norm.ppf(efficiency)
    assert wanted - ours == pytest.approx(wanted - norm.ppf(fake), rel=0.03)


@pytest.mark.parametrize("p", [0.4, 1.0, 3.0])
def test_hadrons_in_the_calorimeter_are_a_mixture(p):
    """Mean and width of drawn E/p: minimum-ionising, or a shower."""
    rng = np.random.default_rng(2)
    i = NUMBERS
    passes = rng.random(N) < np.exp(-float(i.ep_lengths))
    mip, shower = (
        mean + width * rng.standard_normal(N)
        for mean, width in (np.asarray(i.ep_mip) / p, np.asarray(i.ep_hadron))
    )
    drawn = np.where(passes, mip, shower)

    mean, width = energy_over_momentum(i, jnp.array([p]), "pi")

    assert float(mean[0]) == pytest.approx(drawn.mean(), abs=4 * drawn.std() / N**0.5)
    assert float(width[0]) == pytest.approx(drawn.std(), rel=0.01)


@pytest.mark.parametrize(
    ("species", "mass", "ctau", "branching"),
    [("pi", 0.13957, 780.4, 0.9999), ("K", 0.493677, 371.1, 0.6356)],
)
def test_hadrons_in_the_iron(species, mass, ctau, branching):
    """Draw the depth of the interaction and the path to the decay."""
    rng = np.random.default_rng(3)
    k, p = CARD.klm, 1.2
    found = penetration(k, jnp.array([p]), jnp.array([np.pi / 2]))
    depth = float(k.front_lengths + found.iron[0] / k.iron_length)
    through = rng.exponential(1 / float(k.hadron_reach), N) > depth
    path = rng.exponential(p / mass * ctau, N)
    muon = rng.random(N) < branching * float(k.decay_share)
    fake = (through | ((path < float(k.decay_path)) & muon)).mean()

    ours = float(muon_likeness(k, jnp.array([p]), found, species)[0])

    assert ours == pytest.approx(fake, abs=4 * np.sqrt(fake / N))
