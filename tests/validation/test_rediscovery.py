"""Known peaks come back where and as wide as they were put in.

Widths are compared with section 3 of shared/physics/machine-detector.md, derived from
other simulations of tracks and clusters; published widths are only recalled, stand in
docs/rediscovery.md, and are tested nowhere.
"""

from __future__ import annotations

from itertools import product

import jax.numpy as jnp
import numpy as np
import pytest

import darksector as ds
from darksector.kinematics import squared
from darksector.rediscovery import dileptons, measure, pipeline
from darksector.rediscovery.channels import CHANNELS

DERIVED = "shared/physics/machine-detector.md, section 3 (derived)"


@pytest.fixture(scope="module")
def muons():
    """Return J/psi -> mu mu of both samples."""
    return pipeline.run(pipeline.plan(), channels=("jpsi_mumu",)).measured


@pytest.fixture(scope="module")
def everything():
    return pipeline.run(pipeline.plan()).measured


def share_below(measured, distance):
    """Return the share of the simulated peak more than `distance`, GeV, below the truth."""
    signal = measured.expected["signal"]
    truth = CHANNELS[measured.channel].peak.truth
    return signal.contents[signal.edges[1:] < truth - distance].sum() / signal.total()


@pytest.mark.slow
def test_jpsi_yield_and_mass(muons):
    """Four standard deviations of the fit; a bias of the mass below a tenth of its width."""
    for measured in muons:
        fit, injected = measured.fit, measured.expected["signal"].total()
        off = fit.mean.value - CHANNELS["jpsi_mumu"].peak.truth

        assert fit.signal.value == pytest.approx(injected, abs=4 * fit.signal.error)
        assert abs(off) < 4 * fit.mean.error + 0.1 * fit.sigma.value


@pytest.mark.slow
def test_jpsi_resolution(muons, agrees):
    """6.4 MeV without and 7.5 MeV with the tails of cosmic tracks; ours lies between."""
    for measured in muons:
        # half of the distance between the two, and 8 % for the spectrum of the J/psi
        agrees(1e3 * measured.resolution, 6.95, source=DERIVED, rel=0.16)


@pytest.mark.slow
def test_core_is_the_propagated_covariance(muons):
    """σ of the core: the five parameters of both tracks, propagated one by one.

    Linear in them and without tails, as `predicted_width` does it; the fit splits core
    and tails a little differently, so 12 % and its own error.
    """
    for measured in muons:
        fit = measured.fit
        expected = predicted_width(measured.dataset.detector)
        allowed = np.hypot(4 * fit.sigma.error, 0.12 * expected)

        assert fit.sigma.value == pytest.approx(expected, abs=allowed)


def predicted_width(detector, n=4096):
    """Return the mean 1/σ-weighted width of the mass by propagation of errors, GeV."""
    events = dileptons.jpsi("mu", ds.machine("superkekb"), seed=1, n=n)
    response, step = measure.response_of(detector), 1e-2

    def mass(z):
        pair = [
            measure.lepton(response, code, events.slot(slot), jnp.asarray(z[slot - 1]))
            for slot, code in ((1, 13), (2, -13))
        ]
        chance = np.asarray(pair[0].chance * pair[1].chance)
        return np.sqrt(np.asarray(squared(pair[0].p + pair[1].p))), chance

    nothing = np.zeros((2, n, measure.NORMALS))
    truth, chance = mass(nothing)
    variance = np.zeros(n)
    for track, parameter in product(range(2), range(5)):
        z = nothing.copy()
        z[track, :, parameter] = step
        variance += ((mass(z)[0] - truth) / step) ** 2
    sigma = np.sqrt(variance)
    return np.average(sigma, weights=chance / sigma)


@pytest.mark.slow
def test_the_yield_does_not_depend_on_the_sample(muons):
    """Events per luminosity differ by identification and vertex detector alone."""
    per_fb = [m.expected["signal"].total() / m.dataset.luminosity for m in muons]

    assert 0.5 < per_fb[0] / per_fb[1] <= 1.1


@pytest.mark.slow
def test_fits_find_what_was_put_in(everything):
    """Four standard deviations, and 1 % where shapes are known no better than that."""
    for measured in everything:
        if measured.fit is None:
            continue
        fit, injected = measured.fit, measured.expected["signal"].total()

        allowed = np.hypot(4 * fit.signal.error, 0.01 * injected)
        assert fit.signal.value == pytest.approx(injected, abs=allowed)


@pytest.mark.slow
def test_electrons_radiate(everything):
    """Bremsstrahlung: electrons have more below the peak than muons, by a lot."""
    share = {m.channel: share_below(m, 0.03) for m in everything if m.fit}

    assert share["jpsi_mumu"] < 0.03
    assert share["jpsi_ee"] > 4 * share["jpsi_mumu"]


@pytest.mark.slow
def test_pi0_resolution(everything, agrees):
    """3.2 to 5.5 MeV from 0.2 to 2 GeV; ours are of all momenta and of the endcaps too."""
    for measured in everything:
        if measured.channel == "pi0_gammagamma":
            agrees(1e3 * measured.resolution, 4.35, source=DERIVED, rel=0.35)


@pytest.mark.slow
def test_recoil_mass_of_a_photon_is_zero(everything):
    """Closure: within a tenth of the width, which the tail of radiation can shift."""
    for measured in everything:
        if measured.channel == "mumugamma_recoil":
            fit = measured.fit
            assert abs(fit.mean.value) < 4 * fit.mean.error + 0.1 * fit.sigma.value


@pytest.mark.slow
def test_events_scale_with_the_luminosity(everything):
    """μμγ: same process, trigger and muon identification of the period in between."""
    yields = {
        m.dataset.luminosity: m.expected["signal"].total()
        for m in everything
        if m.channel == "mumugamma_recoil"
    }

    assert yields[2.62] / yields[0.5] == pytest.approx(2.62 / 0.5, rel=0.25)
