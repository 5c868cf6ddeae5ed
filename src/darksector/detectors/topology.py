"""What a search wants to see, and every way in which a final state can show it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations, product
from typing import final

from darksector.detectors.tracking import charge_of
from darksector.detectors.trigger_lines import LINES
from darksector.errors import InvalidCard, UnknownName
from darksector.particles import PDG

TRACKS = ("mu", "e", "other track")  # responses that leave a reconstructed track
VETOES = ("klm",)  # responses that a topology may refuse

_CHARGED = ("mu", "e", "other track", "lost")
# what each kind of particle can look like; a converted photon leaves more tracks than
# any topology wants
RESPONSES = {
    PDG["mu"]: _CHARGED,
    PDG["e"]: ("mu", "e", "other track", "cluster", "lost"),
    PDG["pi+"]: _CHARGED,
    PDG["K+"]: _CHARGED,
    PDG["gamma"]: ("cluster", "klm", "converted", "lost"),
}
# neutrinos, and what a model makes as long as it has not decayed
INVISIBLE = frozenset(
    abs(PDG[name])
    for name in (
        "nu_e",
        "nu_mu",
        "nu_tau",
        "Z'",
        "A'",
        "a",
        "chi",
        "chi2",
        "S",
        "h'",
        "X",
    )
)


@final
@dataclass(frozen=True)
class Topology:
    """What a search wants to see: these tracks, of zero total charge, and no other.

    Parameters
    ----------
    tracks
        Responses of the tracks, for instance ``("mu", "mu")``; empty for none.
    trigger
        Name of the trigger line.
    clusters
        Number of clusters without a track; None leaves them to the cuts of the search,
        and then close photons are not merged.
    vetoes
        Other signs that must be absent: ``("klm",)`` for photons that only the KLM sees.

    Raises
    ------
    InvalidCard
        If a track response, a veto or the number of clusters is not allowed.
    UnknownName
        If there is no such trigger line.
    """

    tracks: tuple[str, ...]
    trigger: str
    clusters: int | None = None
    vetoes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for words, allowed, what in (
            (self.tracks, TRACKS, "track"),
            (self.vetoes, VETOES, "veto"),
        ):
            for word in words:
                if word not in allowed:
                    msg = f"topology has the {what} {word!r}; allowed: {allowed}."
                    raise InvalidCard(msg)
        if self.clusters is not None and self.clusters < 0:
            msg = f"topology wants {self.clusters} clusters; give 0 or more, or None."
            raise InvalidCard(msg)
        if self.trigger not in LINES:
            kind = "trigger line"
            raise UnknownName(kind, self.trigger, LINES)

    @property
    def description(self) -> str:
        """What is wanted, in words."""
        tracks = f"tracks {', '.join(self.tracks)} and no other"
        parts = [tracks if self.tracks else "no track"]
        if self.clusters is not None:
            parts.append(f"clusters without a track: {self.clusters}")
        if self.vetoes:
            parts.append(f"nothing in {', '.join(self.vetoes)} alone")
        return f"{'; '.join(parts)}; trigger line {self.trigger}."


@final
@dataclass(frozen=True)
class Outcome:
    """One way to see an event.

    Parameters
    ----------
    responses
        One per particle of the final state.
    merged
        Two slots whose photons make one cluster; empty if all are resolved.
    """

    responses: tuple[str, ...]
    merged: tuple[int, ...] = ()


def outcomes(pdg: tuple[int, ...], topology: Topology) -> tuple[Outcome, ...]:
    """Return every outcome of a final state that makes the topology.

    Raises
    ------
    UnknownName
        If the response to a particle is not known.
    """
    return tuple(_matching(pdg, topology))


def responses_to(code: int) -> tuple[str, ...]:
    """Return what a particle can look like; only the invisible leave nothing."""
    if abs(code) in INVISIBLE:
        return ("invisible",)
    if abs(code) not in RESPONSES:
        msg = "detector response for PDG id"
        raise UnknownName(msg, str(code), map(str, RESPONSES))
    return RESPONSES[abs(code)]


def photon_pairs(
    pdg: tuple[int, ...], responses: tuple[str, ...]
) -> tuple[tuple[int, int], ...]:
    """Return the pairs of slots whose photons both leave a cluster."""
    photons = [
        i
        for i, (code, response) in enumerate(zip(pdg, responses, strict=True))
        if code == PDG["gamma"] and response == "cluster"
    ]
    return tuple(combinations(photons, 2))


def _matching(pdg: tuple[int, ...], topology: Topology) -> Iterator[Outcome]:
    for responses in product(*(responses_to(code) for code in pdg)):
        if not _has_tracks(pdg, responses, topology):
            continue
        if {"converted", *topology.vetoes} & set(responses):
            continue
        clusters = responses.count("cluster")
        if topology.clusters in (None, clusters):
            yield Outcome(responses)
        if topology.clusters == clusters - 1:
            for pair in photon_pairs(pdg, responses):
                yield Outcome(responses, pair)


def _has_tracks(
    pdg: tuple[int, ...], responses: tuple[str, ...], topology: Topology
) -> bool:
    tracks = [
        (response, code)
        for response, code in zip(responses, pdg, strict=True)
        if response in TRACKS
    ]
    neutral = sum(charge_of(code) for _, code in tracks) == 0
    return sorted(r for r, _ in tracks) == sorted(topology.tracks) and neutral
