"""Models as HistFactory workspaces, the exchange format of pyhf."""

from __future__ import annotations

from math import isfinite
from typing import Any

import numpy as np
from numpy.typing import NDArray

from darksector.errors import OutOfDomain
from darksector.statistics.likelihood import CountingModel
from darksector.statistics.model import Channel, Model, Sample
from darksector.statistics.modifiers import (
    Gaussian,
    HistoSys,
    Modifier,
    NormFactor,
    NormSys,
    Parameter,
    ShapeSys,
    StatError,
    Values,
)


def workspace(
    counting: CountingModel,
    mass: NDArray[np.float64],
    observed: NDArray[np.int64] | None,
) -> dict[str, Any]:
    """Return a HistFactory workspace (pyhf schema 1.0.0) with one channel per mass.

    Parameters
    ----------
    counting
        The likelihood; `counting.signal` is events per fb.
    mass
        Mass hypotheses, GeV; each names a channel, see `channel_name`.
    observed
        Observed events; None writes the expected background instead (Asimov).

    Raises
    ------
    OutOfDomain
        If the arrays differ in shape, or two masses give the same channel name.

    Notes
    -----
    The parameter of interest ``sigma`` is the signal cross-section, fb.  Windows of
    different masses share data and mean different signals: **fit one at a time**.
    Prune the others away first::

        everything = pyhf.Workspace(json.loads(text))
        others = [c for c in everything.channels if c != "mass_2.5_gev"]
        model = everything.prune(channels=others).model()

    Systematics are log-normal here; pyhf agrees exactly with the interpolation
    ``modifier_settings={"normsys": {"interpcode": "code1"}}``, and its default
    (``code4``) differs by little for pulls below one.
    """
    events = counting.background if observed is None else observed
    names = [channel_name(float(m)) for m in mass]
    if not mass.shape == counting.signal.shape == events.shape:
        msg = (
            f"mass {mass.shape}, observed {events.shape} and the model "
            f"{counting.signal.shape} need one value per window."
        )
        raise OutOfDomain(msg)
    if len(set(names)) < len(names):
        msg = f"two masses are equal to six digits among {mass.tolist()} GeV."
        raise OutOfDomain(msg)
    channels = [
        _channel(counting, i, name, float(count))
        for i, (name, count) in enumerate(zip(names, events, strict=True))
    ]
    bound = Parameter("sigma", start=1.0, bounds=(0.0, _bound(counting, events)))
    return spec_of(Model(tuple(channels), "sigma", (bound,)), measurement="limit")


def spec_of(model: Model, *, measurement: str = "measurement") -> dict[str, Any]:
    """Return the workspace of a model of one point, ready for `json.dumps`.

    Raises
    ------
    OutOfDomain
        If the model is a batch, or a setting has no form in the schema.
    """
    if model.size > 1:
        msg = f"a workspace holds one point and this model {model.size}."
        raise OutOfDomain(msg)
    stems = dict.fromkeys(p.name.split("[")[0] for p in model.parameters)
    settings = [
        _setting(stem, [p for p in model.parameters if p.name.split("[")[0] == stem])
        for stem in stems
    ]
    config = {"poi": model.poi, "parameters": settings}
    return {
        "version": "1.0.0",
        "channels": [
            {"name": channel.name, "samples": [_sample(s) for s in channel.samples]}
            for channel in model.channels
        ],
        "observations": [
            {"name": channel.name, "data": _list(channel.observed)}
            for channel in model.channels
        ],
        "measurements": [{"name": measurement, "config": config}],
    }


def channel_name(mass: float) -> str:
    """Return the name of the channel of a mass in GeV, such as ``mass_2.5_gev``."""
    return f"mass_{mass:.6g}_gev"


def _channel(
    counting: CountingModel, window: int, name: str, observed: float
) -> Channel:
    signal = [_normsys(x.name, x.signal) for x in counting.systematics if x.signal > 0]
    background = [
        _normsys(x.name, x.background) for x in counting.systematics if x.background > 0
    ]
    error = float(counting.background_error[window])
    if error > 0:
        background.append(_normsys(f"background_simulation_{name}", error))
    samples = (
        Sample("signal", [counting.signal[window]], (NormFactor("sigma"), *signal)),
        Sample("background", [counting.background[window]], tuple(background)),
    )
    return Channel(name, samples, [observed])


def _normsys(name: str, size: float) -> NormSys:
    return NormSys(name, 1 + float(size), 1 / (1 + float(size)))


def _bound(
    counting: CountingModel, events: NDArray[np.int64] | NDArray[np.float64]
) -> float:
    """Return a bound past any limit; pyhf's default of 10 would cut weak ones off."""
    sensitive = counting.signal > 0
    reach = 10 * (events + counting.background + 10)[sensitive]
    return float(np.max(reach / counting.signal[sensitive], initial=10.0))


def _sample(sample: Sample) -> dict[str, Any]:
    modifiers = [_modifier(modifier) for modifier in sample.modifiers]
    return {"name": sample.name, "data": _list(sample.nominal), "modifiers": modifiers}


def _modifier(modifier: Modifier) -> dict[str, Any]:
    kind = type(modifier).__name__.lower()
    entry: dict[str, Any] = {"name": modifier.name, "type": kind, "data": None}
    match modifier:
        case NormSys():
            entry["data"] = {"hi": _list(modifier.up)[0], "lo": _list(modifier.down)[0]}
        case HistoSys():
            sides = {"hi_data": _list(modifier.up), "lo_data": _list(modifier.down)}
            entry["data"] = sides
        case ShapeSys() | StatError():
            entry["data"] = _list(modifier.sigma)
    return entry


def _setting(name: str, bins: list[Parameter]) -> dict[str, Any]:
    """Return the settings of a parameter, or of the parameters of all its bins."""
    entry: dict[str, Any] = {"name": name}
    starts = [p.start for p in bins if p.start is not None]
    bounds = [
        p.bounds for p in bins if p.bounds is not None and isfinite(sum(p.bounds))
    ]
    centred = [p.constraint for p in bins if isinstance(p.constraint, Gaussian)]
    fixed = {p.fixed for p in bins}
    lacking = [p.constraint for p in bins if p.constraint is not None]
    if len(fixed) > 1 or len(lacking) > len(centred):
        msg = (
            f"the schema cannot hold the settings of {name!r}: bins fixed one by one, or "
            "a constraint other than Gaussian (a NormSys says the same as a LogNormal)."
        )
        raise OutOfDomain(msg)
    if len(starts) == len(bins):
        entry["inits"] = [float(start) for start in starts]
    if len(bounds) == len(bins):
        entry["bounds"] = [[float(low), float(high)] for low, high in bounds]
    if fixed != {None}:
        entry["fixed"] = fixed.pop()
    if centred:
        entry["auxdata"] = [float(c.centre) for c in centred]
        entry["sigmas"] = [float(c.width) for c in centred]
    return entry


def _list(values: Values) -> list[float]:
    return [float(x) for x in np.ravel(values)]
