"""From the windows of a search to its likelihood and its limits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from darksector.registry import MODELS
from darksector.results import Windows
from darksector.searches._plan import Plan
from darksector.statistics.histfactory import likelihood
from darksector.statistics.likelihood import CountingModel
from darksector.statistics.limits import (
    SIGMAS,
    LimitCurve,
    bayesian_upper_limit,
    expected_band,
    status,
)
from darksector.statistics.model import Channel, Model, Sample
from darksector.statistics.modifiers import Modifier, NormFactor, NormSys
from darksector.statistics.profile_limits import cls_upper_limits
from darksector.statistics.punzi import punzi_sensitivity

Numbers = NDArray[np.float64]

METHOD = (
    "Bayesian, flat prior in the cross-section, Poisson counts, log-normal nuisances"
)


def counting_model(plan: Plan, windows: Windows) -> CountingModel:
    """Return the likelihood of the windows.

    The error of a background is that of the simulation and the uncertainty of each
    component, which are independent of each other.
    """
    variance = variance_of(plan, windows.background, windows.background_error)
    return counts_with(plan, windows, variance)


def counts_with(plan: Plan, windows: Windows, variance: Numbers) -> CountingModel:
    """Return the likelihood of the windows, given the variance of their backgrounds."""
    background = windows.total_background()
    return CountingModel(
        signal=windows.efficiency * plan.luminosity,
        background=background,
        background_error=np.divide(
            np.sqrt(variance),
            background,
            out=np.zeros_like(background),
            where=background > 0,
        ),
        systematics=plan.search.systematics,
    )


def variance_of(
    plan: Plan, events: Mapping[str, Numbers], error: Mapping[str, Numbers]
) -> Numbers:
    """Return the variance of the summed backgrounds beyond that of the counts.

    Parameters
    ----------
    events, error
        Component to its yields and their simulation errors, any unit and shape.
    """
    simulation = np.sum([error[name] ** 2 for name in events], axis=0)
    # components whose uncertainty has the same source move together
    together: dict[str, Numbers] = {}
    for name, uncertainty in plan.search.uncertainties().items():
        if name in events:
            moved = uncertainty.size * events[name]
            together[uncertainty.source] = moved + together.get(uncertainty.source, 0.0)
    squares = [moved**2 for moved in together.values()]
    variance: Numbers = simulation + np.sum(squares, axis=0) if squares else simulation
    return variance


def sensitivity(
    plan: Plan,
    efficiency: Numbers,
    events: Mapping[str, Numbers],
    error: Mapping[str, Numbers],
) -> Numbers:
    """Return Punzi's cross-section with uncertain backgrounds, fb; smaller is better.

    A count whose background is uncertain scatters like one with a larger background.

    Parameters
    ----------
    efficiency
        Of each choice, ``(k,)``.
    events, error
        Component to yields and their simulation errors of each choice, fb.
    """
    lumi = plan.luminosity
    mean = np.sum(list(events.values()), axis=0) * lumi
    scatter = variance_of(plan, events, error) * lumi**2
    return punzi_sensitivity(
        np.clip(efficiency, 0.0, 1.0), mean + scatter, luminosity=lumi
    )


def limit_curve(plan: Plan, windows: Windows, counting: CountingModel) -> LimitCurve:
    """Return Bayesian limits on the cross-section and on the coupling."""
    band = expected_band(counting, confidence_level=plan.search.confidence_level)
    words = status(counting, band)
    return curve_of(plan, windows, counting, band, (words, METHOD))


def curve_of(
    plan: Plan,
    windows: Windows,
    counting: CountingModel,
    band: np.ma.MaskedArray,
    told: tuple[tuple[str, ...], str],
) -> LimitCurve:
    """Return limits on the cross-section and on the coupling.

    Parameters
    ----------
    counting
        What observed counts are compared with, Bayesian.
    band
        Expected limits on the cross-section, fb, ``(m, 5)``.
    told
        Status of each mass, and how the limits were set.
    """
    level = plan.search.confidence_level
    expected, observed = {"sigma": band}, {}
    if plan.observed is not None:
        observed["sigma"] = bayesian_upper_limit(
            counting, plan.observed, confidence_level=level
        )
    for quantity, reach in reaches(plan, windows).items():
        expected[quantity] = np.ma.sqrt(band / reach[:, None])
        if observed:
            observed[quantity] = np.ma.sqrt(observed["sigma"] / reach)
    return LimitCurve(
        mass=windows.mass,
        units={"sigma": "fb"} | {a.quantity: a.unit for a in plan.search.assumptions},
        expected_band=expected,
        observed=observed,
        status=told[0],
        confidence_level=level,
        method=told[1],
    )


def reaches(plan: Plan, windows: Windows) -> dict[str, np.ndarray]:
    """Return quantity to the cross-section at unit coupling into the final state, fb."""
    kind = MODELS.load(plan.search.model)
    options = dict(plan.search.model_options)
    models = [kind(**{"mass": m, kind.coupling: 1.0}, **options) for m in windows.mass]
    return {
        assumption.quantity: windows.signal_sigma
        * np.array([assumption.fraction(model) for model in models])
        for assumption in plan.search.assumptions
    }


def without_systematics(counting: CountingModel) -> CountingModel:
    """Return the likelihood with yields that are known exactly."""
    none = np.zeros_like(counting.background_error)
    return replace(counting, background_error=none, systematics=())


def cls_band(counting: CountingModel, *, confidence_level: float) -> np.ma.MaskedArray:
    """Return the expected CLs limits of the same counts and nuisances, ``(m, 5)``, fb."""
    good = np.flatnonzero((counting.signal > 0) & (counting.background > 0))
    shape = counting.signal.size, len(SIGMAS)
    band = np.ma.MaskedArray(np.zeros(shape), mask=True)
    if good.size:
        model = cls_model(counting, good)
        found = cls_upper_limits(likelihood(model), confidence_level=confidence_level)
        # the parameter is in units of a signal as large as the background's error
        band[good] = found.expected * _unit(counting, good)[:, None]
    return band


def _unit(counting: CountingModel, rows: NDArray[np.int64]) -> NDArray[np.float64]:
    root: NDArray[np.float64] = np.sqrt(1 + counting.background[rows])
    return root / counting.signal[rows]


def cls_model(counting: CountingModel, rows: NDArray[np.int64]) -> Model:
    """Return the counts as a model of one bin, a batch of the masses.

    The parameter is in units of a signal of the size of the background's error.
    """
    background = counting.background[rows][:, None]
    signal = _unit(counting, rows)[:, None] * counting.signal[rows][:, None]
    own = 1 + counting.background_error[rows]
    on_signal: list[Modifier] = [NormFactor("signal")]
    on_signal += [_scale(x.name, 1 + x.signal) for x in counting.systematics]
    on_background = [_scale(x.name, 1 + x.background) for x in counting.systematics]
    on_background.append(NormSys("background", own, 1 / own))
    return Model(
        (
            Channel(
                "window",
                (
                    Sample("signal", signal, tuple(on_signal)),
                    Sample("background", background, tuple(on_background)),
                ),
                background,
            ),
        ),
        poi="signal",
    )


def _scale(name: str, factor: float) -> NormSys:
    return NormSys(name, factor, 1 / factor)
