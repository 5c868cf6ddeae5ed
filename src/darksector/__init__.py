"""From a dark-sector Lagrangian to an exclusion plot at an e+e- B-factory.

>>> import darksector as ds
>>> model = ds.model("lmu_ltau", mass=1.0, gprime=1e-2)
>>> round(model.branching_fraction("mu+ mu-"), 3)
0.5
"""

from __future__ import annotations

from importlib.metadata import version
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from darksector.detectors.card import Detector
    from darksector.machines import Machine
    from darksector.models.base import Model
    from darksector.processes.base import Process
    from darksector.searches.base import Search

__version__ = version("darksector")


def machine(name: str) -> Machine:
    """Return the collider of a packaged card, for instance ``superkekb``."""
    from darksector.machines import load

    return load(name)


def detector(name: str) -> Detector:
    """Return the experiment of a packaged card, for instance ``belle2_phase2``."""
    from darksector.detectors.card import load

    return load(name)


def model(name: str, **parameters: Any) -> Model:
    """Return a model with its parameters, for instance ``lmu_ltau``."""
    from darksector.registry import MODELS

    kind: type[Model] = MODELS.load(name)
    return kind(**parameters)


def process(name: str, model: Model | None = None, **options: Any) -> Process:
    """Return a process; signals need a model, backgrounds take none.

    Raises
    ------
    InvalidConfig
        If a model is missing or not wanted.
    """
    from darksector.errors import InvalidConfig
    from darksector.registry import PROCESSES

    kind: Any = PROCESSES.load(name)
    if kind.needs_model != (model is not None):
        needs = "needs a model" if kind.needs_model else "takes no model"
        msg = (
            f"process {name!r} {needs}; write ds.process(name, model) for signals only."
        )
        raise InvalidConfig(msg)
    declared: Process = (
        kind(model=model, **options) if kind.needs_model else kind(**options)
    )
    return declared


def search(name: str) -> Search:
    """Return a search, for instance ``zprime_invisible``."""
    from darksector.registry import SEARCHES

    declared: Search = SEARCHES.load(name)
    return declared


__all__ = ["__version__", "detector", "machine", "model", "process", "search"]
