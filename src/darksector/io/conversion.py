"""Generated events to records for files and back, to the bit."""

from __future__ import annotations

from dataclasses import replace

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from darksector.errors import OutOfDomain
from darksector.events import Events
from darksector.io.records import METRIC, Layout, Record

_BALANCED = 1e-9  # of the beams' energy; what round-off of a few boosts leaves
_CONSERVED = 1e-6  # of the beams' energy; above the m²/E of photons along a beam


def layout_of(events: Events) -> Layout:
    """Return the layout in which a file lists these events.

    Raises
    ------
    OutOfDomain
        If there are no events, a number is not finite, a PDG code is 0, or a mother does
        not come before its daughters.
    """
    layout = _layout(events, photons=0)
    _check_slots(events, layout.mothers)
    _check_finite(events)
    lacking = np.abs(_lacking(events, layout))[np.asarray(events.weights) != 0]
    radiates = bool((lacking > _BALANCED * float(events.p_beams[0, 0])).any())
    return replace(layout, photons=2 * radiates)


def to_record(
    events: Events, layout: Layout, beams: Float[np.ndarray, "2 4"]
) -> Record:
    r"""Return the record of some events.

    Parameters
    ----------
    beams
        Nominal four-momenta of the electron and the positron beam, GeV.

    Raises
    ------
    OutOfDomain
        If a number is not finite, the events fit neither the layout nor the beams, or
        daughters of one mother have different vertices.

    Notes
    -----
    Each beam of an event is its nominal momentum times a number, the energy spread; so is
    each collinear photon, which makes it massless to :math:`(m_e/E)^2/2 < 10^{-8}` of its
    energy.  The numbers follow from what the beams of the event sum to and what its final
    state lacks.  Events of weight zero need not conserve momentum.
    """
    _check_finite(events)
    if layout != _layout(events, layout.photons):
        msg = (
            f"a later part has the particles {events.pdg}, mothers {events.mothers} and "
            f"{'no ' if events.vertices is None else ''}vertices, unlike the first part: "
            f"{layout.pdg}, {layout.mothers}; write one file for each kind of event."
        )
        raise OutOfDomain(msg)
    weights, p_beams = np.asarray(events.weights), np.asarray(events.p_beams)
    incoming = _along(p_beams, beams)
    lacking = _lacking(events, layout)
    photons = np.maximum(_along(lacking, beams), 0.0)[:, : layout.photons]
    beams_differ = p_beams - incoming @ beams
    balance = lacking - photons @ beams[: layout.photons]
    _check_balance(beams_differ, p_beams, "beams that are not those of the metadata")
    balance = np.where((weights != 0)[:, None], balance, 0.0)
    _check_balance(balance, p_beams, "a final state that does not conserve momentum")
    added = [a[..., None] * beams[: a.shape[1]] for a in (incoming, photons)]
    particles = np.concatenate([*added, np.asarray(events.momenta)], axis=1)
    return Record(particles, weights, p_beams, _vertices(events, layout))


def to_events(record: Record, layout: Layout) -> Events:
    """Return the events of a record, to the bit those that it was made of."""
    vertices = None
    if layout.displaced:
        vertices = jnp.asarray(record.vertices[:, layout.made])
    decayed = any(mother >= 0 for mother in layout.mothers)
    return Events(
        momenta=jnp.asarray(record.particles[:, layout.first :]),
        weights=jnp.asarray(record.weights),
        p_beams=jnp.asarray(record.p_beams),
        pdg=layout.pdg,
        mothers=layout.mothers if decayed else (),
        vertices=vertices,
    )


def _layout(events: Events, photons: int) -> Layout:
    mothers = events.mothers or (-1,) * len(events.pdg)
    return Layout(events.pdg, mothers, photons, events.vertices is not None)


def _lacking(events: Events, layout: Layout) -> Float[np.ndarray, "n 4"]:
    decayed = set(layout.mothers)
    final = [slot for slot in range(len(layout.pdg)) if slot not in decayed]
    return np.asarray(events.p_beams) - np.asarray(events.momenta)[:, final].sum(axis=1)


def _along(
    p: Float[np.ndarray, "n 4"], beams: Float[np.ndarray, "2 4"]
) -> Float[np.ndarray, "n 2"]:
    """Return the two numbers by which beams must be multiplied to sum to a momentum."""
    products = (beams * METRIC) @ beams.T
    return np.linalg.solve(products, (beams * METRIC) @ p.T).T


def _vertices(events: Events, layout: Layout) -> Float[np.ndarray, "n v 4"]:
    if events.vertices is None:
        return np.empty((len(events.weights), 0, 4))
    vertices = np.asarray(events.vertices)
    first = [layout.mothers.index(mother) for mother in layout.origins]
    if not np.array_equal(vertices, vertices[:, first][:, layout.made]):
        msg = (
            "particles of the same mother have different vertices; a decay has one, and "
            "so has the collision: give them equal rows of Events.vertices."
        )
        raise OutOfDomain(msg)
    return vertices[:, first]


def _check_slots(events: Events, mothers: tuple[int, ...]) -> None:
    if 0 in events.pdg or not events.pdg or not len(events.weights):
        msg = (
            f"cannot write {len(events.weights)} events of the particles {events.pdg}; "
            "needed are at least one event and one particle, and PDG codes other than 0, "
            "which means unknown: give each slot its code."
        )
        raise OutOfDomain(msg)
    if len(mothers) != len(events.pdg) or any(
        not -1 <= mother < slot for slot, mother in enumerate(mothers)
    ):
        msg = (
            f"the mothers {mothers} do not fit the {len(events.pdg)} slots; allowed are "
            "-1 (the collision) or an earlier slot: append daughters after mothers."
        )
        raise OutOfDomain(msg)


def _check_finite(events: Events) -> None:
    for name in ("momenta", "weights", "p_beams", "vertices"):
        values = getattr(events, name)
        if values is None:
            continue
        bad = ~np.isfinite(np.asarray(values).reshape(len(values), -1)).all(axis=1)
        if bad.any():
            msg = (
                f"{name} of event {int(np.argmax(bad))} have a number that is not finite "
                f"({int(bad.sum())} such events); find out where it comes from, or leave "
                "these events out."
            )
            raise OutOfDomain(msg)


def _check_balance(
    balance: Float[np.ndarray, "n 4"], p_beams: Float[np.ndarray, "n 4"], what: str
) -> None:
    lost = np.abs(balance).max(axis=1)
    bad = ~(lost <= _CONSERVED * p_beams[:, 0])
    if bad.any():
        where = int(np.argmax(bad))
        msg = (
            f"event {where} has {what}: {lost[where]:.3g} GeV differ; allowed are "
            f"{_CONSERVED:g} of the energy, with nothing but photons along the beams left "
            "out: check metadata.beams, the mothers and the momenta."
        )
        raise OutOfDomain(msg)
