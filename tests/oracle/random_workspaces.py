"""Random HistFactory workspaces with every kind of modifier, for comparisons."""

from __future__ import annotations

from itertools import pairwise

import numpy as np


def workspace(seed):
    """Return a workspace in the JSON form of pyhf: 1-60 bins, 0-8 nuisances and more.

    Every third one has low counts with empty bins, every fourth two channels.
    """
    rng = np.random.default_rng([20261125, seed])
    bins = int(rng.integers(1, 61))
    low = seed % 3 == 0
    split = seed % 4 == 0 and bins > 2
    half = bins // 2
    ends = [0, half, 2 * half] if split else [0, bins]
    bins = ends[-1]
    nuisances = [f"alpha_{i}" for i in range(int(rng.integers(0, 9)))]
    kinds = {name: rng.choice(["normsys", "histosys", "both"]) for name in nuisances}
    x = np.linspace(0, 1, bins) if bins > 1 else np.array([0.5])
    yields = 10 ** rng.uniform(0, 1.3 if low else 3.5, size=2)
    shapes = [np.exp(-rng.uniform(0, 3) * x), np.ones(bins)]
    backgrounds = [
        y * s / s.sum() * (1 if low else bins)
        for y, s in zip(sorted(yields), shapes, strict=True)
    ]
    peak = np.exp(-0.5 * ((x - rng.uniform(0.2, 0.8)) / 0.1) ** 2)
    signal = peak / peak.sum() * rng.uniform(0.3, 1) * max(np.sqrt(sum(yields)), 1)
    total = sum(backgrounds) + rng.choice([0, 0, 1]) * signal
    counts = rng.poisson(total)
    free = split and seed % 8 == 0
    channels, observations = [], []
    for c, (first, last) in enumerate(pairwise(ends)):
        where = slice(first, last)
        channels.append(
            channel(
                rng,
                f"channel_{c}",
                signal[where],
                [b[where] for b in backgrounds],
                kinds,
            )
        )
        if free:
            # one free shape for both channels, so that the signal is still constrained
            shared = {"name": "free", "type": "shapefactor", "data": None}
            channels[-1]["samples"][2]["modifiers"].append(shared)
        observations.append(
            {"name": f"channel_{c}", "data": [float(n) for n in counts[where]]}
        )
    config = {"poi": "mu", "parameters": settings(channels)}
    return {
        "version": "1.0.0",
        "channels": channels,
        "observations": observations,
        "measurements": [{"name": "limit", "config": config}],
    }


def channel(rng, name, signal, backgrounds, kinds):
    """Return one channel; which modifiers it has is drawn."""
    extra = rng.choice(["none", "staterror", "shapesys", "lumi", "norm"])
    samples = [{"name": "signal", "data": listed(signal), "modifiers": [factor("mu")]}]
    for i, nominal in enumerate(backgrounds):
        modifiers = []
        for parameter, kind in kinds.items():
            if rng.random() < 0.7:
                modifiers += systematic(rng, parameter, kind, nominal)
        if extra == "staterror":
            data = listed(nominal * rng.uniform(0.02, 0.3, nominal.size))
            modifiers.append({"name": f"stat_{name}", "type": extra, "data": data})
        if extra == "shapesys":
            data = listed(nominal * rng.uniform(0.05, 0.3, nominal.size))
            modifiers.append({"name": f"shape_{name}_{i}", "type": extra, "data": data})
        if extra == "norm" and i == 0:
            modifiers.append(factor(f"norm_{name}"))
        if extra == "lumi":
            modifiers.append({"name": "lumi", "type": "lumi", "data": None})
        sample = {
            "name": f"background_{i}",
            "data": listed(nominal),
            "modifiers": modifiers,
        }
        samples.append(sample)
    if kinds and rng.random() < 0.5:
        samples[0]["modifiers"] += systematic(rng, next(iter(kinds)), "normsys", signal)
    return {"name": name, "samples": samples}


def systematic(rng, name, kind, nominal):
    """Return the modifiers of one nuisance parameter on one sample."""
    up, down = 1 + rng.uniform(0.01, 0.25, size=2) * [1, -1]
    tilt = np.linspace(-1, 1, nominal.size) * rng.uniform(0.02, 0.2)
    found = []
    if kind in {"normsys", "both"}:
        data = {"hi": float(up), "lo": float(down)}
        found.append({"name": name, "type": "normsys", "data": data})
    if kind in {"histosys", "both"}:
        data = {
            "hi_data": listed(nominal * (1 + tilt)),
            "lo_data": listed(nominal * (1 - 0.8 * tilt)),
        }
        found.append({"name": name, "type": "histosys", "data": data})
    return found


def settings(channels):
    """Return the settings of a measurement: bounds that no limit here reaches."""
    names = {
        (m["name"], m["type"])
        for c in channels
        for s in c["samples"]
        for m in s["modifiers"]
    }
    found = [{"name": "mu", "inits": [1.0], "bounds": [[0.0, 1000.0]]}]
    for name, kind in sorted(names):
        if kind == "normfactor" and name != "mu":
            found.append({"name": name, "inits": [1.0], "bounds": [[0.0, 1000.0]]})
        if kind == "shapefactor":
            bins = len(channels[0]["samples"][0]["data"])
            bounds = [[0.0, 1000.0]] * bins
            found.append({"name": name, "inits": [1.0] * bins, "bounds": bounds})
    if ("lumi", "lumi") in names:
        found.append(
            {
                "name": "lumi",
                "inits": [1.0],
                "bounds": [[0.5, 1.5]],
                "auxdata": [1.0],
                "sigmas": [0.02],
            }
        )
    return found


def factor(name):
    """Return a free normalisation."""
    return {"name": name, "type": "normfactor", "data": None}


def listed(values):
    """Return plain numbers."""
    return [float(v) for v in values]
