"""What is typed after `generate` and `xsec`, as processes, machines, cuts and decays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from math import inf, prod
from typing import TYPE_CHECKING, Any, final, get_args, get_type_hints

from darksector.errors import InvalidConfig, UnknownName

if TYPE_CHECKING:
    import jax
    import numpy as np
    from numpy.typing import NDArray

    from darksector.events import Events
    from darksector.generators.decay import Mode
    from darksector.machines import Machine
    from darksector.phasespace.cuts import GeneratorCut
    from darksector.processes.base import Process


@final
@dataclass(frozen=True)
class Decays:
    """What decays in every event, and how.

    Parameters
    ----------
    taus
        Modes of the τ- and the τ+, or nothing.
    steps
        PDG code of a particle and its decay, one after the other.
    """

    taus: tuple[str, str] | None
    steps: tuple[tuple[int, Mode], ...]

    @property
    def slots(self) -> int:
        """How many particles the decays add, at most."""
        return sum(len(mode.products) for _, mode in self.steps) + (
            12 if self.taus else 0
        )

    @property
    def fraction(self) -> float:
        """Product of all branching fractions."""
        fractions = [mode.branching_fraction for _, mode in self.steps]
        if self.taus is not None:
            from darksector.generators._tau_modes import MODES

            fractions += [MODES[name].branching for name in self.taus]
        return float(prod(fractions))

    def apply(self, events: Events, machine: Machine, seed: int) -> Events:
        """Return the events after all decays; weights have the branching fractions."""
        from darksector.execution import stream
        from darksector.generators.decay import decay

        if self.taus is not None:
            events = _tau_decays(events, machine, self.taus, seed)
        for i, (code, mode) in enumerate(self.steps):
            slots = [
                slot
                for slot, found in enumerate(events.pdg)
                if found == code and slot not in events.mothers
            ]
            if not slots:
                msg = f"decay {i + 1} finds no particle of PDG code {code} in {events.pdg}."
                raise InvalidConfig(msg)
            u = stream(seed, "decay", i).random((len(events.weights), mode.dimension))
            events = decay(u, events, slots[0], mode)
        return events


def _tau_decays(
    events: Events, machine: Machine, modes: tuple[str, str], seed: int
) -> Events:
    """Return events with decayed taus, in whole blocks as the kernels want them."""
    import numpy as np

    from darksector.compilation import BLOCK
    from darksector.execution import stream
    from darksector.generators import tau

    n = len(events.weights)
    padded = select(events, np.minimum(np.arange(-(-n // BLOCK) * BLOCK), n - 1))
    u = stream(seed, "tau").random((len(padded.weights), tau.dimension(modes)))
    return select(tau.decay(u, padded, machine, modes), np.arange(n))


def select(events: Events, index: NDArray[np.int64]) -> Events:
    """Return some of the events."""
    import jax

    return jax.tree.map(lambda a: a[index], events)


def reweighted(events: Events, weights: NDArray[np.float64] | jax.Array) -> Events:
    """Return the events with other weights, fb."""
    import jax.numpy as jnp

    return replace(events, weights=jnp.asarray(weights))


def process_of(name: str, mass: float | None, given: Mapping[str, Any]) -> Process:
    """Return a process from what was typed."""
    from darksector.registry import PROCESSES

    kind: Any = PROCESSES.load(name)
    options = _settings(kind, given["options"], leave_out={"model"})
    if not kind.needs_model:
        if mass is not None or given["coupling"] is not None or given["model_settings"]:
            msg = (
                f"process {name!r} has no mediator; leave mass, coupling and model "
                "parameters out."
            )
            raise InvalidConfig(msg)
        return kind(**options)
    if mass is None:
        msg = (
            f"process {name!r} needs the mass of its mediator: --mass or --masses, GeV."
        )
        raise InvalidConfig(msg)
    return kind(model=model_of(get_type_hints(kind)["model"], mass, given), **options)


def model_of(kind: Any, mass: float, given: Mapping[str, Any]) -> Any:
    """Return a model of a class from what was typed."""
    coupling = 1.0 if given["coupling"] is None else given["coupling"]
    parameters = {"mass": mass, kind.coupling: coupling}
    parameters |= _settings(kind, given["model_settings"], leave_out=set(parameters))
    return kind(**parameters)


def _settings(kind: type, texts: Sequence[str], leave_out: set[str]) -> dict[str, Any]:
    """Return KEY=VALUE texts as fields of a dataclass, in the types of the fields."""
    hints = get_type_hints(kind)
    allowed = [f.name for f in fields(kind) if f.name not in leave_out]
    found = {}
    for text in texts:
        key, equals, value = text.partition("=")
        if not equals:
            msg = (
                f"setting {text!r} is not understood; write KEY=VALUE, e.g. isr=false."
            )
            raise InvalidConfig(msg)
        if key not in allowed:
            what = f"parameter of {kind.__name__}"
            raise UnknownName(what, key, allowed)
        found[key] = _value(key, value, hints[key])
    return found


def _value(key: str, text: str, hint: Any) -> Any:
    kinds = [k for k in get_args(hint) or (hint,) if k is not type(None)]
    try:
        if kinds[0] is bool:
            return {"true": True, "false": False}[text.lower()]
        return kinds[0](text)
    except (ValueError, KeyError):
        allowed = (
            "true or false"
            if kinds[0] is bool
            else f"a value of type {kinds[0].__name__}"
        )
        msg = f"{key} must be {allowed}, got {text!r}."
        raise InvalidConfig(msg) from None


def machine_of(text: str) -> Machine:
    """Return the machine of a card, or an ideal one of an energy, GeV."""
    from darksector import machines

    try:
        energy = float(text)
    except ValueError:
        return machines.load(text)
    return machines.symmetric(energy)


def cut_of(text: str) -> GeneratorCut:
    """Return a cut from QUANTITY:PARTICLES:LOW:HIGH; an empty bound is open."""
    from darksector.phasespace.cuts import GeneratorCut
    from darksector.units import bound

    parts = text.split(":")
    if len(parts) != 4:
        msg = (
            f"cut {text!r} is not understood; write QUANTITY:PARTICLES:LOW:HIGH, for "
            "instance e_cms:gamma:0.5: or mass:mu+,mu-::3."
        )
        raise InvalidConfig(msg)
    low, high = (bound(value) if value else None for value in parts[2:])
    return GeneratorCut(
        parts[0],
        tuple(parts[1].split(",")),
        low=-inf if low is None else low,
        high=inf if high is None else high,
    )


def decays_of(texts: Sequence[str], taus: str | None, process: Process) -> Decays:
    """Return the decays from PARTICLE:PRODUCTS[:BRANCHING] texts and MODE,MODE."""
    modes = None
    if taus is not None:
        from darksector.generators._tau_modes import MODES

        names = taus.split(",")
        for name in names:
            if name not in MODES:
                kind = "decay mode of the tau"
                raise UnknownName(kind, name, MODES)
        if len(names) != 2:
            msg = f"tau decays need two modes, of the tau- and the tau+, got {taus!r}."
            raise InvalidConfig(msg)
        modes = (names[0], names[1])
    return Decays(modes, tuple(_decay(text, process) for text in texts))


def _decay(text: str, process: Process) -> tuple[int, Mode]:
    """Return the code of a particle and how it decays."""
    from darksector.generators.decay import Mode
    from darksector.particles import code_of

    particle, _, rest = text.partition(":")
    products, _, given = rest.partition(":")
    names = tuple(name for name in products.split(",") if name)
    codes = tuple(code_of(name) for name in names)
    branching, ctau = _rate(particle, names, process)
    if branching == 0:
        msg = (
            f"the decay {text!r} is closed for the {particle} of this model; choose "
            "another, or another mass."
        )
        raise InvalidConfig(msg)
    if given:
        branching = _value("branching fraction", given, float)
    if branching is None:
        msg = (
            f"the rate of the decay {text!r} is not known; add the branching fraction, "
            f"for instance {particle}:{products}:0.05."
        )
        raise InvalidConfig(msg)
    masses = tuple(_mass(code, process) for code in codes)
    return code_of(particle), Mode(codes, masses, branching, ctau)


def _mass(code: int, process: Process) -> float:
    from darksector.particles import code_of, mass_of

    dark = getattr(getattr(process, "model", None), "dark_mass", None)
    return dark if abs(code) == code_of("chi") and dark is not None else mass_of(code)


def _rate(
    particle: str, products: tuple[str, ...], process: Process
) -> tuple[float | None, float]:
    """Return branching fraction and cτ, cm, from the model of a mediator."""
    from darksector.particles import code_of

    model = getattr(process, "model", None)
    masses = process.kernel().masses(process.parameters())
    slots = [
        i for i, code in enumerate(process.final_state) if code == code_of(particle)
    ]
    if model is None or not slots or float(masses[slots[0]]) != model.mass:
        return None, 0.0
    wanted = sorted(products)
    for channel in model.channels():
        if sorted(channel.split()) == wanted:
            return model.branching_fraction(channel), model.ctau
    return None, model.ctau if model.width > 0 else 0.0
