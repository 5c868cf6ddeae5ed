r"""Tau decays in all major modes with the exact spin correlation of the pair.

Source: Y. S. Tsai, Phys. Rev. D 4 (1971) 2821 (inspire:Tsai:1971vv).  A V-A decay with a
massless neutrino analyses the spin completely: its rate is ∝ 1 ± ŝ·n with a direction n
in the rest frame of the τ∓ that the decay products give.  So the correlated rate of both
decays is the production rate of two taus in *pure* spin states, one amplitude each.

Two-pion and three-pion modes are exact up to their form factors (Kühn and Santamaria);
the four-pion modes have no spin correlation and a declared mass spectrum.  The taus decay
where they are made, without radiation.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import cache, partial

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from darksector.compilation import BLOCK, in_blocks
from darksector.errors import OutOfDomain, UnknownName
from darksector.events import Events
from darksector.execution import stream
from darksector.generators._tau_mesons import Decay, Mode
from darksector.generators._tau_modes import MODES, SELF_CONJUGATE
from darksector.generators._tau_spectra import Table
from darksector.generators._tau_spin import pair_weights, to_laboratory
from darksector.generators.tau_production import PRODUCTIONS, Production
from darksector.machines import Machine
from darksector.particles import PDG

Modes = tuple[str, str]  # of the τ- and of the τ+: names of `MODES`

_TAU = PDG["tau"]


def dimension(modes: Modes) -> int:
    """Return how many uniform numbers the decays of one pair take."""
    return sum(_mode(name).dimension for name in modes)


def final_state(modes: Modes) -> tuple[int, ...]:
    """Return the PDG codes of the products of the τ-, then of the τ+."""
    minus, plus = (_mode(name).codes for name in modes)
    return minus + tuple(c if c in SELF_CONJUGATE else -c for c in plus)


def mode_pairs() -> dict[Modes, float]:
    """Return every pair of modes with the product of its branching fractions."""
    return {
        (a, b): MODES[a].branching * MODES[b].branching for a in MODES for b in MODES
    }


def rest_frame_decay(
    u: jax.Array, mode: Mode = MODES["mu"], *, charge: int = -1
) -> Decay:
    """Return unpolarised decays at rest for numbers ``(n, mode.dimension)``.

    `charge` is that of the tau; n is at most 1024 or a multiple of it.
    """
    return _at_rest(mode, charge, u, _table(mode))


def decay(
    u: NDArray[np.float64],
    taus: Events,
    machine: Machine,
    modes: Modes = ("mu", "mu"),
    *,
    production: Production | None = None,
) -> Events:
    """Return the events with both taus decayed, weights with both branching fractions.

    Parameters
    ----------
    u
        Uniform numbers ``(n, dimension(modes))``, n at most 1024 or a multiple of it.
    taus
        Events in the laboratory with one τ- and one τ+.
    machine
        Gives the direction of the electron beam.
    modes
        What the τ- and the τ+ decay to.
    production
        The amplitudes with the spins, see `tau_production`; by default the exact ones
        of a pair alone or beside one photon, S or Z'.

    Returns
    -------
    Events
        Products of the τ-, of the τ+, then all other slots of `taus` as they were.

    Raises
    ------
    OutOfDomain
        If the slots or the numbers do not fit, if something has decayed already, or if
        other particles were made and there is no `production`.
    """
    _check(u, taus, modes)
    taus = _taus_first(taus)
    decays = _pair_at_rest(u, modes)
    weights = pair_weights(
        production or _production(taus.pdg[2:]),
        taus.momenta,
        (decays[0].analyser, decays[1].analyser),
        jnp.asarray(machine.p_her),
    )
    for each, name in zip(decays, modes, strict=True):
        weights = weights * each.weight * MODES[name].branching
    lab = [to_laboratory(i, d.products, taus.momenta) for i, d in enumerate(decays)]
    return Events(
        momenta=jnp.concatenate([*lab, taus.momenta[:, 2:]], axis=1),
        weights=taus.weights * weights,
        p_beams=taus.p_beams,
        pdg=final_state(modes) + taus.pdg[2:],
        vertices=_places(taus, lab),
    )


def samples(
    taus: Events, machine: Machine, *, seed: int, production: Production | None = None
) -> Iterator[Events]:
    """Yield the events of each pair of modes, each event in one pair drawn at random.

    Together they are the full sample of tau pairs: the expectation of the sum of their
    weights is that of `taus` times the square of the sum of all branching fractions.
    """
    pairs = mode_pairs()
    shares = np.array(list(pairs.values()))
    chosen = stream(seed, "tau modes").choice(
        len(pairs), size=len(taus.weights), p=shares / shares.sum()
    )
    for index, modes in enumerate(pairs):
        rows = np.flatnonzero(chosen == index)
        if not rows.size:
            continue
        random = stream(seed, "tau decays", *modes)
        # full blocks, the last one padded: one shape to compile for all modes
        parts = [
            decay(
                random.random((BLOCK, dimension(modes))),
                jax.tree.map(lambda a, r=block: jnp.asarray(np.asarray(a)[r]), taus),
                machine,
                modes,
                production=production,
            )
            for block in np.resize(rows, (-(-rows.size // BLOCK), BLOCK))
        ]
        whole = jax.tree.map(
            lambda *a, n=rows.size: jnp.asarray(np.concatenate(a)[:n]), *parts
        )
        yield replace(whole, weights=whole.weights * (shares.sum() / shares[index]))


def _mode(name: str) -> Mode:
    if name not in MODES:
        kind = "tau decay mode"
        raise UnknownName(kind, name, MODES)
    return MODES[name]


DIMENSION = dimension(("mu", "mu"))
FINAL_STATE = final_state(("mu", "mu"))


def _pair_at_rest(u: NDArray[np.float64], modes: Modes) -> tuple[Decay, Decay]:
    minus, plus = (MODES[name] for name in modes)
    parts = [jnp.asarray(part) for part in np.split(u, [minus.dimension], axis=1)]
    return (
        rest_frame_decay(parts[0], minus),
        rest_frame_decay(parts[1], plus, charge=1),
    )


@cache
def _table(mode: Mode) -> Table:
    return mode.table()


@partial(jax.jit, static_argnums=0)
def _at_rest(mode: Mode, charge: jax.Array | int, u: jax.Array, table: Table) -> Decay:
    return in_blocks(lambda part: mode.decay(part, table, charge), u)


def _check(u: NDArray[np.float64], taus: Events, modes: Modes) -> None:
    if sorted(code for code in taus.pdg if abs(code) == _TAU) != [-_TAU, _TAU]:
        msg = f"decay needs one tau- and one tau+, {_TAU} and {-_TAU}, got {taus.pdg}."
        raise OutOfDomain(msg)
    if taus.mothers:
        msg = "something has decayed already; decay the taus first, then the others."
        raise OutOfDomain(msg)
    if u.shape[1] != dimension(modes):
        msg = f"{modes} take {dimension(modes)} numbers per event, got {u.shape[1]}."
        raise OutOfDomain(msg)


def _taus_first(taus: Events) -> Events:
    first = (taus.pdg.index(_TAU), taus.pdg.index(-_TAU))
    order = [*first, *(i for i in range(len(taus.pdg)) if i not in first)]
    pdg = tuple(taus.pdg[i] for i in order)
    slots = np.array(order)
    vertices = None if taus.vertices is None else taus.vertices[:, slots]
    return replace(taus, momenta=taus.momenta[:, slots], pdg=pdg, vertices=vertices)


def _places(taus: Events, lab: list[jax.Array]) -> jax.Array | None:
    """Return where the products are made: where their tau was."""
    if taus.vertices is None:
        return None
    places = [
        jnp.repeat(taus.vertices[:, i : i + 1], products.shape[1], axis=1)
        for i, products in enumerate(lab)
    ]
    return jnp.concatenate([*places, taus.vertices[:, 2:]], axis=1)


def _production(others: tuple[int, ...]) -> Production:
    if others not in PRODUCTIONS:
        msg = (
            f"the spins of two taus depend on what else was made, here {others}, which "
            f"is none of {tuple(PRODUCTIONS)}; give decay the amplitudes as `production`,"
            " or `uncorrelated` of tau_production for none."
        )
        raise OutOfDomain(msg)
    return PRODUCTIONS[others]
