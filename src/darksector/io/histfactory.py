"""HistFactory workspaces in JSON, the exchange format of pyhf and its friends."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from math import inf
from pathlib import Path
from typing import Any, NoReturn

import numpy as np

from darksector.errors import InvalidCard, InvalidFile, OutOfDomain, UnknownName
from darksector.statistics.histfactory import likelihood
from darksector.statistics.model import Channel, Model, Sample
from darksector.statistics.modifiers import (
    Gaussian,
    HistoSys,
    Lumi,
    Modifier,
    NormFactor,
    NormSys,
    Parameter,
    ShapeFactor,
    ShapeSys,
    StatError,
)


def read(
    path: Path, *, measurement: str | None = None, poi: str | None = None
) -> Model:
    """Return the model of a workspace file.

    Parameters
    ----------
    path
        JSON file of the HistFactory schema (pyhf, schema 1.0.0).
    measurement
        Name of the measurement; default: the first.
    poi
        Parameter of interest; default: that of the measurement.

    Raises
    ------
    InvalidFile
        If the file is not such a workspace; the message names the place.
    UnknownName
        If there is no such measurement or parameter.
    """
    try:
        spec = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        msg = f"cannot read the workspace {path}: {error.strerror or error}."
        raise InvalidFile(msg) from error
    except ValueError as error:
        msg = f"{path} is not JSON: {error}."
        raise InvalidFile(msg) from error
    try:
        return model_of(spec, measurement=measurement, poi=poi)
    except (InvalidCard, InvalidFile, OutOfDomain) as error:
        msg = f"{path}: {error}"
        raise InvalidFile(msg) from error


def model_of(
    spec: Mapping[str, Any], *, measurement: str | None = None, poi: str | None = None
) -> Model:
    """Return the model of a workspace that has been read, with the errors of `read`."""
    top = _mapping(spec, "the workspace")
    observed = {
        _text(entry, "name", "an observation"): _numbers(
            entry, "data", "an observation"
        )
        for entry in _entries(top, "observations", "the workspace")
    }
    channels = []
    for entry in _entries(top, "channels", "the workspace"):
        name = _text(entry, "name", "a channel")
        if name not in observed:
            _refuse(f"channel {name!r} has no observation", "add its observed events")
        samples = [
            _sample(s, name) for s in _entries(entry, "samples", f"channel {name!r}")
        ]
        channels.append(Channel(name, tuple(samples), observed[name]))
    known = {
        _text(entry, "name", "a measurement"): entry
        for entry in _entries(top, "measurements", "the workspace")
    }
    chosen = next(iter(known), "") if measurement is None else measurement
    if chosen not in known:
        kind = "measurement"
        raise UnknownName(kind, chosen, known)
    config = _mapping(known[chosen].get("config"), f"config of measurement {chosen!r}")
    interest = poi or _text(config, "poi", f"measurement {chosen!r}")
    model = Model(tuple(channels), poi=interest)
    settings = _entries(config, "parameters", f"measurement {chosen!r}", required=False)
    found = Model(model.channels, interest, tuple(_parameters(model, settings)))
    likelihood(found)  # refuses now what it would refuse later
    return found


def _sample(entry: Mapping[str, Any], channel: str) -> Sample:
    name = _text(entry, "name", f"a sample of channel {channel!r}")
    where = f"sample {name!r} of channel {channel!r}"
    modifiers = [_modifier(m, where) for m in _entries(entry, "modifiers", where)]
    return Sample(name, _numbers(entry, "data", where), tuple(modifiers))


def _modifier(entry: Mapping[str, Any], where: str) -> Modifier:
    name, kind = _text(entry, "name", where), _text(entry, "type", where)
    where = f"modifier {name!r} of {where}"
    readers: dict[str, Callable[[], Modifier]] = {
        "normfactor": lambda: NormFactor(name),
        "lumi": lambda: Lumi(name),
        "shapefactor": lambda: ShapeFactor(name),
        "normsys": lambda: NormSys(
            name, *(_number(_data(entry, where), side, where) for side in ("hi", "lo"))
        ),
        "histosys": lambda: HistoSys(
            name,
            *(
                _numbers(_data(entry, where), side, where)
                for side in ("hi_data", "lo_data")
            ),
        ),
        "shapesys": lambda: ShapeSys(name, _numbers(entry, "data", where)),
        "staterror": lambda: StatError(name, _numbers(entry, "data", where)),
    }
    if kind not in readers:
        what = "modifier type"
        raise UnknownName(what, kind, readers)
    return readers[kind]()


def _data(entry: Mapping[str, Any], where: str) -> Mapping[str, Any]:
    return _mapping(entry.get("data"), f"data of {where}")


def _parameters(model: Model, settings: Sequence[Mapping[str, Any]]) -> list[Parameter]:
    """Return the settings of a measurement, one per bin where a parameter has bins."""
    found = []
    kinds = {modifier.name: modifier for _, _, modifier in model.modifiers()}
    for entry in settings:
        name = _text(entry, "name", "a parameter")
        if name not in kinds:
            continue  # a workspace may list parameters that no modifier uses
        names = [n for n in model.names if name in {n, n.split("[")[0]}]
        for i, single in enumerate(names):
            found.append(_parameter(entry, single, i, kinds[name], poi=model.poi))
    return found


def _parameter(
    entry: Mapping[str, Any], name: str, i: int, modifier: Modifier, *, poi: str
) -> Parameter:
    where = f"parameter {name!r}"
    start, bounds = _item(entry, "inits", i, where), _item(entry, "bounds", i, where)
    centre, width = _item(entry, "auxdata", i, where), _item(entry, "sigmas", i, where)
    fixed = entry.get("fixed")
    fixed = fixed[i] if isinstance(fixed, list) and i < len(fixed) else fixed
    if bounds is not None:
        low, high = _pair(bounds, where)
        # the upper bound of the parameter of interest would cut limits off
        bounds = (low, inf) if name == poi else (low, high)
    constraint = None
    if isinstance(modifier, Lumi | NormSys | HistoSys) and (centre, width) != (
        None,
        None,
    ):
        middle = 1.0 if isinstance(modifier, Lumi) else 0.0
        constraint = Gaussian(
            middle if centre is None else _float(centre, where),
            1.0 if width is None else _float(width, where),
        )
    return Parameter(
        name,
        None if start is None else _float(start, where),
        bounds,
        None if fixed is None else bool(fixed),
        constraint,
    )


def _item(entry: Mapping[str, Any], key: str, i: int, where: str) -> Any:
    values = entry.get(key)
    if values is None:
        return None
    if not isinstance(values, list) or i >= len(values):
        _refuse(f"{key} of {where} is {values!r}", f"it needs a list with entry {i}")
    return values[i]


def _refuse(what: str, remedy: str) -> NoReturn:
    msg = f"{what}; {remedy}."
    raise InvalidFile(msg)


def _mapping(value: Any, where: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        _refuse(f"{where} is {type(value).__name__}", "it must be a JSON object")
    return value


def _entries(
    entry: Mapping[str, Any], key: str, where: str, *, required: bool = True
) -> list[Mapping[str, Any]]:
    values = entry.get(key, None if required else [])
    if not isinstance(values, list):
        _refuse(f"{where} has no list {key!r}", "the HistFactory schema asks for one")
    return [_mapping(value, f"an entry of {key!r} of {where}") for value in values]


def _text(entry: Mapping[str, Any], key: str, where: str) -> str:
    value = entry.get(key)
    if not isinstance(value, str):
        _refuse(f"{where} has {key!r} = {value!r}", "it must be a text")
    return value


def _number(entry: Mapping[str, Any], key: str, where: str) -> float:
    return _float(entry.get(key), f"{key!r} of {where}")


def _float(value: Any, where: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        _refuse(f"{where} is {value!r}", "it must be a number")
    return float(value)


def _pair(value: Any, where: str) -> tuple[float, float]:
    if not isinstance(value, list) or len(value) != 2:
        _refuse(f"bounds of {where} are {value!r}", "they must be [low, high]")
    return _float(value[0], where), _float(value[1], where)


def _numbers(entry: Mapping[str, Any], key: str, where: str) -> np.ndarray:
    values = entry.get(key)
    if not isinstance(values, list) or not values:
        _refuse(f"{key!r} of {where} is {values!r}", "it must be a list of numbers")
    return np.array([_float(value, f"{key!r} of {where}") for value in values])
