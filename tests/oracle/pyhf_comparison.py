"""CLs of pyhf at our limits, and whether its fits found the minimum."""

from __future__ import annotations

import contextlib
import logging
import warnings
from dataclasses import dataclass

import numpy as np
import pyhf
from random_workspaces import workspace

from darksector.io.histfactory import model_of
from darksector.statistics.asymptotic import Profiles
from darksector.statistics.fit import OK, fit
from darksector.statistics.histfactory import likelihood
from darksector.statistics.profile import discovery, fit_at, lower_of
from darksector.statistics.profile_limits import cls_upper_limits

LEVEL = 0.9
AT_MINIMUM = 1e-5  # of twice the negative log-likelihood; moves CLs by less than 1e-4


@dataclass(frozen=True)
class Comparison:
    """One workspace: pyhf's CLs at our limits over 1 - CL, minus one."""

    seed: int
    bins: int
    parameters: int
    status: str
    observed: float
    expected: float
    pyhf: str  # "converged", or what went wrong

    def agrees(self, tolerance):
        return abs(self.observed) < tolerance and abs(self.expected) < tolerance


@contextlib.contextmanager
def quiet():
    """Silence what pyhf says about its own optimiser."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        logging.disable(logging.CRITICAL)
        try:
            yield
        finally:
            logging.disable(logging.NOTSET)


def compare(seed):
    """Return the comparison for one random workspace."""
    spec = workspace(seed)
    ours = likelihood(model_of(spec))
    limits = cls_upper_limits(ours, confidence_level=LEVEL)
    shape = (ours.counts.shape[1], len(ours.names))
    if limits.status[0] != OK:
        return Comparison(seed, *shape, str(limits.status[0]), np.nan, np.nan, "")
    with quiet():
        pyhf.set_backend("numpy", pyhf.optimize.scipy_optimizer(maxiter=10000))
        model = pyhf.Workspace(spec).model()
        data = pyhf.Workspace(spec).data(model)
        found, trouble = [], []
        for mu, column in ((limits.observed[0], 0), (limits.expected[0, 2], 1)):
            try:
                cls, problem = _cls(model, data, float(mu), ours)
            except (pyhf.exceptions.FailedMinimization, ValueError) as error:
                cls, problem = (np.nan, np.nan), f"raised {type(error).__name__}"
            found.append(cls[column] / (1 - LEVEL) - 1)
            trouble += [problem] * bool(problem)
    return Comparison(
        seed, *shape, OK, *found, "; ".join(dict.fromkeys(trouble)) or "converged"
    )


def _cls(model, data, mu, ours):
    """Return observed and median expected CLs, and what is wrong with pyhf's fits."""
    calculator = pyhf.infer.calculators.AsymptoticCalculator(
        data, model, test_stat="qtilde"
    )
    statistic = calculator.teststatistic(mu)
    s_plus_b, b_only = calculator.distributions(mu)
    observed = [float(x) for x in calculator.pvalues(statistic, s_plus_b, b_only)]
    expected = calculator.expected_pvalues(s_plus_b, b_only)[2]  # of CLs
    fits = calculator.fitted_pars
    row, excess = np.array([0]), {}
    profiles = Profiles.of(ours)
    asimov, null = profiles.asimov.likelihood, profiles.asimov.theta
    checks = {
        "null fit": (fits.asimov_pars, ours, best(ours, null, 0.0)),
        "free fit": (fits.free_fit_to_data, ours, discovery(ours).free),
        "fit of the data": (fits.fixed_poi_fit_to_data, ours, best(ours, null, mu)),
        "free fit of the Asimov data": (
            fits.free_fit_to_asimov,
            asimov,
            fit(asimov, start=null),
        ),
        "fit of the Asimov data": (
            fits.fixed_poi_fit_to_asimov,
            asimov,
            best(asimov, null, mu),
        ),
    }
    for name, (parameters, where, found) in checks.items():
        theirs = where.nll(translated(parameters, model, ours), row)[0]
        excess[name] = 2 * float(theirs - found.nll[0])
        assert excess[name] > -AT_MINIMUM, f"the {name} of ours is not at its minimum"
    name = max(excess, key=excess.__getitem__)
    worst = ""
    if excess[name] > AT_MINIMUM:
        worst = f"{name} is above the minimum by {excess[name]:.1e}"
    if not np.isfinite([observed[2], expected[2]]).all():
        worst = "CLs is NaN"
    return (observed[2], float(expected[2])), worst


def best(where, null, mu):
    """Return our fit at a value of the parameter of interest, from both starts."""
    nominal = where.start[None]
    return lower_of(*(fit_at(where, np.array([mu]), start=x) for x in (null, nominal)))


def translated(parameters, model, ours):
    """Return pyhf's parameters in the order of our likelihood, shape ``(1, p)``."""
    values = {}
    for name in model.config.par_order:
        for b, value in enumerate(np.asarray(parameters)[model.config.par_slice(name)]):
            values[name if name in ours.names else f"{name}[{b}]"] = float(value)
    return np.array([[values[name] for name in ours.names]])
