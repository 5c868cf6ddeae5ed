"""Signal samples of other generators, from Les Houches event files.

The format is that of arXiv:hep-ph/0609017 and its version 3 (arXiv:1405.1067).
An LHE file is XML: it is parsed, never evaluated, and document types (the home of
entity-expansion attacks) are refused before anything else reads the file.
"""

from __future__ import annotations

import gzip
import warnings
import zlib
from collections.abc import Iterable, Iterator
from collections.abc import Set as AbstractSet
from contextlib import contextmanager
from dataclasses import dataclass, replace
from io import BufferedIOBase
from itertools import count
from pathlib import Path
from typing import Any, NoReturn, final
from xml.etree.ElementTree import ParseError
from xml.parsers import expat

import numpy as np
from jaxtyping import Float

from darksector.errors import InvalidConfig, InvalidFile, MissingExtra

#: |PDG| of what a detector can see; every other code, known or not, is invisible.
VISIBLE = frozenset(
    {11, 13, 15, 22, 111, 113, 130, 211, 221, 223, 310, 311, 313, 321, 323, 331, 333}
    | {411, 421, 431, 443, 511, 521, 531, 553, 2112, 2212, 3122}
    | {1, 2, 3, 4, 5, 6, 21}
)

_INCOMING, _FINAL = -1, 1
_ELECTRON, _POSITRON = 11, -11
_REVERSED = np.array([1.0, -1.0, -1.0, -1.0])
_SAME_BEAMS = 1e-6  # relative to the collision energy
_CONSERVED = 1e-4  # relative to the collision energy
_CHUNK = 1 << 20
_REGENERATE = "generate the file again or fetch a fresh copy"
_OTHER_BEAMS = "generate without initial-state radiation or beam spectra, for e+ e-"
# What gzip, expat, ElementTree and pylhe raise on input that is cut or malformed;
# pylhe turns parse errors into a RuntimeWarning, which `read` makes an error.
_DAMAGE = (
    *(OSError, EOFError, zlib.error, expat.ExpatError, ParseError, RuntimeWarning),
    *(ValueError, LookupError, OverflowError, AttributeError),
)


@final
@dataclass(frozen=True)
class LheSample:
    """Events of one final state, as another generator wrote them.

    Parameters
    ----------
    cross_section_fb
        Sum of the cross-sections of the file's processes, fb; `None` when the file
        leaves it open (zero or negative, as Pythia writes it before it has counted).
    beams
        Four-momenta of the electron and the positron, GeV.
    pdgs
        PDG code of each final-state slot, in the order of the first event.
    momenta
        Four-momenta of the final state, GeV, in the frame of `beams`.
    weights
        Event weights in the file's own normalisation; only their ratios mean anything.
    """

    cross_section_fb: float | None
    beams: Float[np.ndarray, "2 4"]
    pdgs: tuple[int, ...]
    momenta: Float[np.ndarray, "n k 4"]
    weights: Float[np.ndarray, " n"]


@dataclass(frozen=True)
class _Event:
    beams: Float[np.ndarray, "2 4"]
    pdgs: tuple[int, ...]
    momenta: Float[np.ndarray, "k 4"]
    weight: float


def read(path: Path) -> LheSample:
    """Return the events of an LHE file, plain or compressed with gzip.

    Parameters
    ----------
    path
        File of e⁺e⁻ events that all have the same final state, up to order.

    Raises
    ------
    InvalidFile
        If the file is absent, cut off, of another format or of other beams, or if an
        event is not a finite, momentum-conserving event of the common final state.
    MissingExtra
        If pylhe is not installed.

    Notes
    -----
    Beams are those of the events (status −1), not of the ``<init>`` block, which
    knows energies but no directions.  Intermediate particles (status 2) are skipped:
    their daughters carry the momentum.
    """
    if not path.is_file():
        _refuse(path, "is not there", "an existing file", "check the path")
    _check_document(path)
    with warnings.catch_warnings(), _open(path) as stream:
        warnings.simplefilter("error", RuntimeWarning)
        with _readable(path, "its header"):
            content = _lhef(stream)
        events = list(_events(path, content.events))
    if not events:
        _refuse(path, "has no events", "at least one")
    cross_section_pb = sum(process.xSection for process in content.init.procInfo)
    if not np.isfinite(cross_section_pb):
        _refuse(path, f"has the cross-section {cross_section_pb} pb", "a finite number")
    sample = _canonical(path, events, _common_beams(path, events))
    _check_conservation(path, sample)
    cross_section_fb = 1e3 * cross_section_pb if cross_section_pb > 0 else None
    return replace(sample, cross_section_fb=cross_section_fb)


def to_lab(
    sample: LheSample,
    p_her: Float[np.ndarray, " 4"],
    p_ler: Float[np.ndarray, " 4"],
    *,
    tolerance: float = 1e-3,
) -> LheSample:
    r"""Return the sample in the laboratory frame of a machine, GeV.

    The frame is recognised from the file's beams: either they are the machine's
    already, or they collide head-on along z at the machine's :math:`\sqrt{s}`; then
    the electron is turned onto the direction that the high-energy beam has in the
    centre-of-mass frame, and everything is boosted to the laboratory.

    Parameters
    ----------
    sample
        Events in the laboratory or the centre-of-mass frame.
    p_her, p_ler
        Four-momenta of the machine's electron and positron beams, GeV.
    tolerance
        Largest deviation of a beam component, relative to the beam energy (laboratory)
        or to √s (centre of mass); √s itself may deviate by twice as much.

    Raises
    ------
    InvalidFile
        If the beams fit neither frame.

    Notes
    -----
    Energies are not rescaled: 10.58 GeV and 10.5796 GeV differ by less than the energy
    spread of the beams, and rescaling would move the mass of every particle.  The
    azimuth is where the shortest rotation puts it: unpolarised beams have none.
    """
    machine = np.stack([p_her, p_ler])
    if np.all(np.abs(sample.beams - machine) <= tolerance * machine[:, :1]):
        return sample
    total = sample.beams.sum(axis=0)
    if not _head_on_along_z(sample.beams, _mass(machine.sum(axis=0)), tolerance):
        msg = (
            f"the file's beams, {_show(sample.beams)}, are not the machine's, "
            f"{_show(machine)}; allowed are these, or head-on beams along z of the same "
            "sqrt(s). Generate the sample for this machine, or choose its machine."
        )
        raise InvalidFile(msg)
    to_cms, to_machine = total * _REVERSED, machine.sum(axis=0)
    here = _boost(sample.beams[0], to_cms)
    there = _boost(p_her, to_machine * _REVERSED)
    turn = _rotation_from_z(there) @ _rotation_from_z(here).T

    def moved(momenta: Float[np.ndarray, "*b 4"]) -> Float[np.ndarray, "*b 4"]:
        cms = _boost(momenta, to_cms)
        turned = np.concatenate([cms[..., :1], cms[..., 1:] @ turn.T], axis=-1)
        return _boost(turned, to_machine)

    return replace(sample, beams=moved(sample.beams), momenta=moved(sample.momenta))


def invisible_id(
    sample: LheSample, visible: AbstractSet[int] = VISIBLE, given: int | None = None
) -> int:
    """Return the PDG code of the final-state particle that no detector sees.

    Parameters
    ----------
    sample
        Events with one invisible particle.
    visible
        Absolute PDG codes that a detector can see; neutrinos and unknown codes are not
        among them.
    given
        The user's choice, for final states that leave one.

    Raises
    ------
    InvalidConfig
        If `given` is not in the final state.
    InvalidFile
        If there is no candidate, or more than one.
    """
    present = ", ".join(str(code) for code in sample.pdgs)
    if given in sample.pdgs:
        return given
    if given is not None:
        msg = f"no particle has the PDG code {given}; set --invisible to one of {present}."
        raise InvalidConfig(msg)
    found = [code for code in sample.pdgs if abs(code) not in visible]
    if len(found) != 1:
        msg = (
            f"the final state {present} has {len(found)} particles that a detector "
            "cannot see, and exactly one is allowed; name it with --invisible PDG."
        )
        raise InvalidFile(msg)
    return found[0]


def _refuse(path: Path, what: str, allowed: str, remedy: str = _REGENERATE) -> NoReturn:
    msg = f"LHE file {path.name!r} {what}; allowed: {allowed}. Remedy: {remedy}."
    raise InvalidFile(msg) from None


@contextmanager
def _readable(path: Path, where: str) -> Iterator[None]:
    """Turn what readers raise on damaged input into one clear error."""
    try:
        yield
    except InvalidFile:
        raise
    except _DAMAGE as error:
        reason = str(error) or type(error).__name__
        what = f"cannot be read at {where}: {reason}"
        _refuse(path, what, "a whole file in LHE format, plain or gzip")


def _lhef(stream: BufferedIOBase) -> Any:
    try:
        import pylhe
    except ImportError:
        package = "pylhe"
        raise MissingExtra(package, "lhe", "reading LHE files") from None
    return pylhe.LHEFile.frombuffer(stream)


def _open(path: Path) -> BufferedIOBase:
    with path.open("rb") as stream:
        compressed = stream.read(2) == b"\x1f\x8b"
    return gzip.open(path) if compressed else path.open("rb")


def _check_document(path: Path) -> None:
    """Refuse files that are cut, not XML, or declare a document type."""

    def refuse_doctype(*_: object) -> None:
        what = "declares a document type (<!DOCTYPE>), which can hide an attack"
        _refuse(path, what, "plain LHE elements", "remove the declaration")

    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler = refuse_doctype
    with _readable(path, "its XML"), _open(path) as stream:
        while chunk := stream.read(_CHUNK):
            parser.Parse(chunk, False)
        parser.Parse(b"", True)


def _events(path: Path, source: Iterable[Any]) -> Iterator[_Event]:
    iterator = iter(source)
    for number in count(1):
        with _readable(path, f"event {number}"):
            event = next(iterator, None)
        if event is None:
            return
        yield _event(path, number, event)


def _event(path: Path, number: int, event: Any) -> _Event:
    particles = event.particles
    if len(particles) != event.eventinfo.nparticles:
        what = (
            f"event {number} lists {len(particles)} particles and announces "
            f"{event.eventinfo.nparticles}"
        )
        _refuse(path, what, "equal numbers")
    incoming = {p.id: p for p in particles if p.status == _INCOMING}
    codes = [p.id for p in particles if p.status == _INCOMING]
    if sorted(codes) != [_POSITRON, _ELECTRON]:
        what = f"event {number} has the incoming particles {codes}"
        _refuse(path, what, "one e- (11) and one e+ (-11)", _OTHER_BEAMS)
    final = [p for p in particles if p.status == _FINAL]
    if not final:
        _refuse(path, f"event {number} has no final state", "at least one particle")
    beams = _momenta([incoming[_ELECTRON], incoming[_POSITRON]])
    momenta, weight = _momenta(final), event.eventinfo.weight
    if not np.isfinite([beams.sum(), momenta.sum(), weight]).all():
        _refuse(path, f"event {number} has a number that is not finite", "finite")
    return _Event(beams, tuple(p.id for p in final), momenta, weight)


def _momenta(particles: list[Any]) -> Float[np.ndarray, "k 4"]:
    return np.array([(p.e, p.px, p.py, p.pz) for p in particles], dtype=np.float64)


def _common_beams(path: Path, events: list[_Event]) -> Float[np.ndarray, "2 4"]:
    beams = np.stack([event.beams for event in events])
    tolerance = _SAME_BEAMS * beams[0, :, 0].sum()
    differ = np.abs(beams - beams[0]).max(axis=(1, 2)) > tolerance
    if differ.any():
        what = f"has other beams in event {np.argmax(differ) + 1} than in event 1"
        _refuse(path, what, "equal beams in all events", _OTHER_BEAMS)
    return beams[0]


def _canonical(
    path: Path, events: list[_Event], beams: Float[np.ndarray, "2 4"]
) -> LheSample:
    """Return the events with their particles in the order of the first event."""
    first = events[0].pdgs
    for number, event in enumerate(events, start=1):
        if sorted(event.pdgs) != sorted(first):
            what = f"event {number} has the final state {event.pdgs}"
            remedy = "keep one process per file"
            _refuse(path, what, f"that of event 1, {first}, in any order", remedy)
    # Stable sorts: equal particles keep the order in which the file lists them.
    order = np.argsort([event.pdgs for event in events], axis=1, kind="stable")
    slots = np.argsort(np.argsort(first, kind="stable"), kind="stable")
    momenta = np.stack([event.momenta for event in events])
    return LheSample(
        cross_section_fb=None,
        beams=beams,
        pdgs=first,
        momenta=np.take_along_axis(momenta, order[:, slots, None], axis=1),
        weights=np.array([event.weight for event in events], dtype=np.float64),
    )


def _check_conservation(path: Path, sample: LheSample) -> None:
    total = sample.beams.sum(axis=0)
    missing = np.abs(sample.momenta.sum(axis=1) - total).max(axis=1)
    bad = ~(missing <= _CONSERVED * total[0])
    if bad.any():
        where = int(np.argmax(bad))
        what = (
            f"event {where + 1} does not conserve four-momentum: final state and "
            f"beams differ by {missing[where]:.3g} GeV"
        )
        allowed = f"{_CONSERVED:g} of the collision energy, {total[0]:.5g} GeV"
        _refuse(path, what, allowed)


def _mass(momentum: Float[np.ndarray, " 4"]) -> float:
    energy, px, py, pz = momentum
    return float(np.sqrt(max(energy**2 - px**2 - py**2 - pz**2, 0.0)))


def _head_on_along_z(
    beams: Float[np.ndarray, "2 4"], sqrt_s: float, tolerance: float
) -> bool:
    total = beams.sum(axis=0)
    at_rest = np.abs(total[1:]).max() <= tolerance * sqrt_s
    same_energy = abs(_mass(total) - sqrt_s) <= 2 * tolerance * sqrt_s
    along_z = np.abs(beams[:, 1:3]).max() <= tolerance * sqrt_s
    return bool(at_rest and same_energy and along_z)


def _boost(
    momenta: Float[np.ndarray, "*b 4"], frame: Float[np.ndarray, " 4"]
) -> Float[np.ndarray, "*b 4"]:
    """Boost from the rest frame of `frame` to the one where it has this momentum."""
    gamma, gamma_beta = frame[0] / _mass(frame), frame[1:] / _mass(frame)
    energy, space = momenta[..., :1], momenta[..., 1:]
    along = (space @ gamma_beta)[..., None]
    moved = space + gamma_beta * (energy + along / (gamma + 1))
    return np.concatenate([gamma * energy + along, moved], axis=-1)


def _rotation_from_z(momentum: Float[np.ndarray, " 4"]) -> Float[np.ndarray, "3 3"]:
    """Return the rotation that turns z onto a momentum; −z by π about y."""
    _, px, py, pz = momentum
    theta, phi = np.arctan2(np.hypot(px, py), pz), np.arctan2(py, px)
    phi = 0.0 if px == py == 0 else phi  # arctan2(0, -0.) is π
    (ct, st), (cp, sp) = ((np.cos(a), np.sin(a)) for a in (theta, phi))
    about_y = np.array([[ct, 0.0, st], [0.0, 1.0, 0.0], [-st, 0.0, ct]])
    about_z = np.array([[cp, -sp, 0.0], [sp, cp, 0.0], [0.0, 0.0, 1.0]])
    return about_z @ about_y @ about_z.T


def _show(beams: Float[np.ndarray, "2 4"]) -> str:
    electron, positron = (", ".join(f"{x + 0.0:.5g}" for x in beam) for beam in beams)
    return (
        f"e- (E, px, py, pz) = ({electron}) and e+ ({positron}) GeV with sqrt(s) = "
        f"{_mass(beams.sum(axis=0)):.5g} GeV"
    )
