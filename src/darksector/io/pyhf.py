"""Counting experiments as a HistFactory workspace, the exchange format of pyhf."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from darksector.errors import OutOfDomain
from darksector.statistics.likelihood import CountingModel


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
    return {
        "version": "1.0.0",
        "channels": [_channel(counting, i, name) for i, name in enumerate(names)],
        "observations": [
            {"name": name, "data": [float(n)]}
            for name, n in zip(names, events, strict=True)
        ],
        "measurements": [_measurement(counting, events)],
    }


def channel_name(mass: float) -> str:
    """Return the name of the channel of a mass in GeV, such as ``mass_2.5_gev``."""
    return f"mass_{mass:.6g}_gev"


def _channel(counting: CountingModel, window: int, name: str) -> dict[str, Any]:
    signal = [_normsys(x.name, x.signal) for x in counting.systematics if x.signal > 0]
    background = [
        _normsys(x.name, x.background) for x in counting.systematics if x.background > 0
    ]
    error = float(counting.background_error[window])
    if error > 0:
        background.append(_normsys(f"background_simulation_{name}", error))
    poi = {"name": "sigma", "type": "normfactor", "data": None}
    return {
        "name": name,
        "samples": [
            {
                "name": "signal",
                "data": [float(counting.signal[window])],
                "modifiers": [poi, *signal],
            },
            {
                "name": "background",
                "data": [float(counting.background[window])],
                "modifiers": background,
            },
        ],
    }


def _normsys(name: str, size: float) -> dict[str, Any]:
    data = {"hi": 1 + float(size), "lo": 1 / (1 + float(size))}
    return {"name": name, "type": "normsys", "data": data}


def _measurement(
    counting: CountingModel, events: NDArray[np.int64] | NDArray[np.float64]
) -> dict[str, Any]:
    """Return the measurement; pyhf's default bound of 10 would cut weak limits off."""
    sensitive = counting.signal > 0
    reach = 10 * (events + counting.background + 10)[sensitive]
    bound = float(np.max(reach / counting.signal[sensitive], initial=10.0))
    sigma = {"name": "sigma", "inits": [1.0], "bounds": [[0.0, bound]]}
    return {"name": "limit", "config": {"poi": "sigma", "parameters": [sigma]}}
