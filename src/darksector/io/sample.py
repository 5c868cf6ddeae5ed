"""What a file of events says about itself, in JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from math import isfinite
from typing import Any, final

import numpy as np
from jaxtyping import Float

from darksector.errors import OutOfDomain
from darksector.events import Events
from darksector.io.records import Layout

FORMAT = 1  # raised when older programs could misread a file


@final
@dataclass(frozen=True)
class SampleInfo:
    """Where a sample of events comes from.

    Parameters
    ----------
    process
        Name in the registry.
    title
        Name for people.
    cross_section_fb, error_fb
        Cross-section of the sample and its statistical error, fb.
    beams
        Nominal four-momenta (E, px, py, pz) of the electron and the positron beam in the
        laboratory, GeV.
    conventions
        Choices behind the numbers, as `CrossSection` has them.
    seed
        Seed of the sample.
    command
        What was typed to make it.
    weighted
        Whether events count with their weights; equally if not.
    version
        Version of the program that made it.

    Raises
    ------
    OutOfDomain
        If a cross-section or error is negative or not finite, or the beams are not two
        finite four-momenta.
    """

    process: str
    title: str
    cross_section_fb: float
    error_fb: float
    beams: tuple[tuple[float, ...], tuple[float, ...]]
    conventions: Mapping[str, str]
    seed: int
    command: str
    weighted: bool
    version: str

    def __post_init__(self) -> None:
        values = (self.cross_section_fb, self.error_fb)
        if not all(isfinite(value) and value >= 0 for value in values):
            msg = (
                f"cross-section and error must be finite and >= 0 fb, got {values}; take "
                "both from Process.cross_section."
            )
            raise OutOfDomain(msg)
        momenta = self.momenta
        if (
            momenta.shape != (2, 4)
            or not (np.isfinite(momenta) & (momenta[:, :1] > 0)).all()
        ):
            msg = (
                f"beams must be two finite four-momenta of positive energy, got "
                f"{self.beams}; write (machine.p_her, machine.p_ler) as tuples."
            )
            raise OutOfDomain(msg)

    @property
    def momenta(self) -> Float[np.ndarray, "b c"]:
        """The beams as an array ``(2, 4)``, GeV."""
        return np.array(self.beams, dtype=np.float64)


@final
@dataclass(frozen=True)
class Sample:
    """Events of a file and what it says about them."""

    events: Events
    metadata: SampleInfo


@final
@dataclass(frozen=True)
class Header:
    """What precedes the events of a file.

    Parameters
    ----------
    count
        Number of events.
    """

    metadata: SampleInfo
    layout: Layout
    count: int

    def to_json(self) -> str:
        """Return one line of ASCII that XML can hold as it is."""
        text = json.dumps({"format": FORMAT, **asdict(self)}, allow_nan=False)
        for mark in "<>&":
            text = text.replace(mark, f"\\u{ord(mark):04x}")
        return text


def from_json(text: str | bytes) -> Header:
    """Return the header that `Header.to_json` wrote.

    Raises
    ------
    ValueError, KeyError, TypeError
        If it is something else.
    """
    content = json.loads(text)
    if content["format"] != FORMAT:
        msg = f"its format is {content['format']!r}, and this version reads {FORMAT}"
        raise ValueError(msg)
    layout, metadata = content["layout"], content["metadata"]
    electron, positron = (tuple(map(float, beam)) for beam in metadata.pop("beams"))
    count = int(content["count"])
    if count < 1:
        msg = f"it announces {count} events"
        raise ValueError(msg)
    return Header(
        SampleInfo(beams=(electron, positron), **_plain(metadata)),
        _layout(layout),
        count,
    )


def _plain(metadata: dict[str, Any]) -> dict[str, Any]:
    kinds = {
        **dict.fromkeys(("cross_section_fb", "error_fb"), float),
        "conventions": dict,
        "seed": int,
        "weighted": bool,
    }
    return {name: kinds.get(name, str)(value) for name, value in metadata.items()}


def _layout(content: Mapping[str, Any]) -> Layout:
    pdg, mothers = (tuple(map(int, content[name])) for name in ("pdg", "mothers"))
    photons = int(content["photons"])
    in_order = all(-1 <= mother < slot for slot, mother in enumerate(mothers))
    if not pdg or len(pdg) != len(mothers) or photons not in (0, 2) or not in_order:
        msg = f"particles {pdg}, mothers {mothers} and {photons} photons do not fit"
        raise ValueError(msg)
    return Layout(pdg, mothers, photons, bool(content["displaced"]))
