"""Where a result comes from: versions, card hashes, seed, citations."""

from __future__ import annotations

import hashlib
import json
import platform
import re
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from importlib.resources import files
from pathlib import Path
from typing import Any, final

from darksector.errors import InvalidFile, UnknownName

_ENTRY = re.compile(r"(?ms)^@\w+\{(?P<cite>[^,\s]+),\n(?P<fields>.*?)^\}$")
_IDENTIFIER = re.compile(r"(?m)^  (eprint|doi|url) = \{(.+)\},$")
_OUTSIDE = re.compile(
    r"arXiv:(?P<arxiv>\d{4}\.\d{4,5}|[a-z-]+/\d{7})|doi:(?P<doi>10\.\S+)"
)
_PREFIX = {"eprint": "arXiv", "doi": "doi", "url": "url"}

PACKAGES = ("numpy", "scipy", "jax", "jaxlib", "matplotlib", "pyarrow")


@final
@dataclass(frozen=True)
class Provenance:
    """What is needed to repeat a run and to cite what it used.

    Parameters
    ----------
    seed
        The one seed of the run.
    versions
        Package to version, with Python and the platform.
    inputs
        Card or input file to the SHA-256 of its bytes.
    references
        ``arXiv:...`` keys of every paper whose formula, number or curve was used.
    """

    seed: int
    versions: Mapping[str, str]
    inputs: Mapping[str, str]
    references: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, ready for JSON."""
        return {
            "seed": self.seed,
            "versions": dict(self.versions),
            "inputs": dict(self.inputs),
            "references": list(self.references),
        }


def sha256(content: bytes) -> str:
    """Return the hexadecimal SHA-256 of some bytes."""
    return hashlib.sha256(content).hexdigest()


def versions() -> dict[str, str]:
    """Return the versions of Python, the platform and the packages that compute."""
    found = {"python": platform.python_version(), "platform": sys.platform}
    for package in ("darksector", *PACKAGES):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "not installed"
    return found


def bibtex(references: Iterable[str]) -> str:
    """Return the BibTeX entries of some references, each paper once.

    Parameters
    ----------
    references
        Keys of the form ``arXiv:1403.2727``, ``doi:10.1093/ptep/ptac097`` or
        ``url:https://...``; papers with none of these go by the key that INSPIRE gives
        them, ``inspire:Kuraev:1985hb``.

    A paper that ``references.bib`` does not have gets an entry with its identifier
    alone, if that is an arXiv number or a DOI: searches from outside cite their own.

    Raises
    ------
    UnknownName
        If a key is neither in ``references.bib`` nor of these two forms.

    Examples
    --------
    >>> bibtex(["arXiv:1403.2727"]).splitlines()[0]
    '@article{Shuve:2014doa,'
    """
    entries = known_references()
    found = {entries.get(name) or _minimal(name, entries): None for name in references}
    return "\n".join(f"{entry}\n" for entry in found)


def read_references(folder: Path) -> tuple[str, ...]:
    """Return the references that a finished run recorded.

    Raises
    ------
    InvalidFile
        If the folder has no readable ``provenance.json``.
    """
    path = folder / "provenance.json"
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        return tuple(str(key) for key in record["references"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        msg = (
            f"cannot read {str(path)!r} ({type(error).__name__}); name the output "
            "folder of a finished run."
        )
        raise InvalidFile(msg) from None


def known_references() -> dict[str, str]:
    """Return each entry of ``references.bib`` under every name that it goes by."""
    text = files("darksector").joinpath("references.bib").read_text(encoding="utf-8")
    entries = {}
    for entry in _ENTRY.finditer(text):
        found = _IDENTIFIER.findall(entry["fields"])
        names = [f"{_PREFIX[field]}:{value}" for field, value in found]
        for name in names or [f"inspire:{entry['cite']}"]:
            entries[name] = entry[0]
    return entries


def _minimal(name: str, entries: Mapping[str, str]) -> str:
    match = _OUTSIDE.fullmatch(name)
    if match is None:
        kind = "reference"
        raise UnknownName(kind, name, entries)
    field = "eprint" if match["arxiv"] else "doi"
    return f"@misc{{{name},\n  {field} = {{{match['arxiv'] or match['doi']}}},\n}}"
