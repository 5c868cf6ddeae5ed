"""Limits of counts with a control region, against the definitions of arXiv:1007.1727."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest
from scipy.optimize import brentq, minimize_scalar
from scipy.stats import norm

from darksector.errors import OutOfDomain
from darksector.statistics.fit import OK, Evaluation
from darksector.statistics.profile import ProfileLikelihood, discovery
from darksector.statistics.profile_limits import INSENSITIVE, cls_upper_limits, log_cls

SIGNAL, TAU = 2.0, 2.0  # events per unit of mu; size of the control region


def half_deviance(counts, rate):
    log = np.where(counts > 0, counts * np.log(np.where(counts > 0, counts, 1) / rate), 0)  # fmt: skip
    return log - counts + rate


@dataclass(frozen=True)
class OnOff(ProfileLikelihood):
    """n ~ Poisson(mu s + b) and m ~ Poisson(tau b), a row per pair of counts."""

    on: np.ndarray
    off: np.ndarray
    signal: float
    start: np.ndarray
    lower: np.ndarray
    upper: np.ndarray
    size: int
    names: tuple[str, ...] = ("mu", "b")
    poi: int = 0

    def nll(self, theta, rows):
        on, off = self.expect(theta)
        return half_deviance(self.on[rows], on) + half_deviance(self.off[rows], off)

    def evaluate(self, theta, rows):
        on, off = self.expect(theta)
        s = self.signal
        a, b = 1 - self.on[rows] / on, 1 - self.off[rows] / off
        mixed = s / on
        information = np.array([[s * mixed, mixed], [mixed, 1 / on + TAU**2 / off]])
        return Evaluation(
            self.nll(theta, rows),
            np.stack([s * a, a + TAU * b], axis=1),
            np.moveaxis(information, 2, 0),
        )

    def asimov(self, theta):
        on, off = self.expect(theta)
        return replace(self, on=on, off=off)

    def expect(self, theta):
        return theta[:, 0] * self.signal + theta[:, 1], TAU * theta[:, 1]


def on_off(on, off, *, lowest=0.0, signal=SIGNAL):
    on, off = np.array(on, dtype=float), np.array(off, dtype=float)
    return OnOff(
        on,
        off,
        signal,
        np.stack([np.zeros(on.size), (off + 1) / TAU], axis=1),
        np.array([lowest, 1e-9]),
        np.full(2, np.inf),
        on.size,
    )


def profile(mu, on, off):
    """Return the smallest half deviance over the background, and the background."""

    def value(log_b):
        b = np.exp(log_b)
        return half_deviance(on, mu * SIGNAL + b) + half_deviance(off, TAU * b)

    guess = np.log(off / TAU)
    found = minimize_scalar(value, bracket=(guess - 1, guess + 1), tol=1e-14)
    return found.fun, np.exp(found.x)


def slow_limits(on, off, alpha):
    fitted = max((on - off / TAU) / SIGNAL, 0)
    best, b = profile(fitted, on, off)[0], profile(0, on, off)[1]

    def q_asimov(mu):
        return max(2 * profile(mu, b, TAU * b)[0], 0)

    def cls(mu):
        q, qa = max(2 * (profile(mu, on, off)[0] - best), 0), q_asimov(mu)
        if q <= qa:
            return norm.sf(q**0.5) / norm.cdf(qa**0.5 - q**0.5)
        return norm.sf((q + qa) / 2 / qa**0.5) / norm.sf((q - qa) / 2 / qa**0.5)

    high = 10 * (on + b + 5) ** 0.5
    observed = brentq(lambda mu: cls(mu) - alpha, fitted + 1e-3, fitted + high)
    expected = [
        brentq(
            lambda mu, n=n: q_asimov(mu) ** 0.5 - norm.ppf(1 - alpha * norm.cdf(n)) - n,
            1e-6,
            high,
        )
        for n in range(-2, 3)
    ]
    return observed, expected


@pytest.mark.parametrize("lowest", [0.0, -5.0])
def test_limits_are_the_roots_of_their_definition(lowest):
    """Precision asked for: 1e-6.  Deficits, none, excesses, and no event at all."""
    on, off = [10, 15, 4, 1000, 0], [20, 20, 20, 2000, 20]

    limits = cls_upper_limits(on_off(on, off, lowest=lowest), confidence_level=0.95)

    assert np.all(limits.status == OK)
    for i, pair in enumerate(zip(on, off, strict=True)):
        observed, expected = slow_limits(*pair, 0.05)
        assert limits.observed[i] == pytest.approx(observed, rel=1e-6)
        assert limits.expected[i].tolist() == pytest.approx(expected, rel=1e-6)


def test_significance_has_a_closed_form():
    """Li and Ma, Astrophys. J. 272 (1983) 317, eq. 17, with alpha = 1/tau."""
    on, off = np.array([15.0, 4.0]), np.array([20.0, 20.0])
    both = on + off
    ratio = on * np.log((1 + TAU) * on / both)
    ratio += off * np.log((1 + 1 / TAU) * off / both)

    found = discovery(on_off(on, off, lowest=-5.0))

    assert found.local_significance == pytest.approx([(2 * ratio[0]) ** 0.5, -((2 * ratio[1]) ** 0.5)])  # fmt: skip
    assert found.q0 == pytest.approx([2 * ratio[0], 0.0])
    assert found.poi == pytest.approx([2.5, -3.0], rel=1e-4)
    assert found.error == pytest.approx((on + off / TAU**2) ** 0.5 / SIGNAL, rel=1e-4)


def test_cls_branches_meet():
    """At q = q_A both forms of arXiv:1007.1727 eqs. 65 and 66 agree: CLb = 1/2."""
    q = np.array([1e-3, 2.0, 40.0])

    below, above = log_cls(q * (1 - 1e-9), q), log_cls(q * (1 + 1e-9), q)

    assert below == pytest.approx(above, abs=1e-6)
    assert below == pytest.approx(norm.logsf(q**0.5) - np.log(0.5), abs=1e-6)


def test_what_has_no_limit_says_why():
    limits = cls_upper_limits(on_off([5], [9], signal=0.0), confidence_level=0.9)

    assert limits.status[0] == INSENSITIVE
    assert limits.observed.mask.all()
    assert limits.expected.mask.all()
    with pytest.raises(OutOfDomain, match="confidence_level"):
        cls_upper_limits(on_off([5], [9]), confidence_level=1.0)
