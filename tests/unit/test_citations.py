from __future__ import annotations

import re
import subprocess
import sys
from importlib.resources import files

import pytest

from darksector.errors import UnknownName
from darksector.provenance import bibtex

TEXT = files("darksector").joinpath("references.bib").read_text(encoding="utf-8")
ENTRIES = [entry.strip() for entry in re.split(r"^(?=@)", TEXT, flags=re.MULTILINE)[1:]]
NEEDED = [
    "arXiv:1403.2727",
    "arXiv:1609.04026",
    "arXiv:1912.11276",
    "arXiv:1606.03501",
    "arXiv:2306.12294",
    "arXiv:1808.10567",
    "arXiv:2110.00810",
    "arXiv:physics/0308063",
    "arXiv:1802.02995",
    "arXiv:2104.03281",
    "arXiv:2006.04822",
    "arXiv:2505.21476",
    "arXiv:1801.04847",
    "arXiv:2006.11225",
    "arXiv:1011.0352",
    "arXiv:1406.2332",
    "inspire:Kuraev:1985hb",
    "inspire:Tsai:1971vv",
    "doi:10.1093/ptep/ptac097",
    "url:https://github.com/jax-ml/jax",
    "arXiv:2006.10256",
    "arXiv:1907.10121",
    "doi:10.21105/joss.02823",
]


def field(entry, name):
    found = re.findall(rf"^  {name} = \{{(.*)\}},$", entry, flags=re.MULTILINE)
    assert len(found) <= 1
    return found[0] if found else None


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda e: e.split("{")[1].split(",")[0])
def test_every_entry_is_complete_bibtex_and_found_by_its_identifiers(entry):
    first, *fields, last = entry.splitlines()

    assert re.fullmatch(r"@(article|software)\{[\w:-]+,", first)
    assert all(re.fullmatch(r"  \w+ = \{.+\},", line) for line in fields)
    assert last == "}"
    assert entry.count("{") == entry.count("}")
    assert field(entry, "author")
    assert field(entry, "title").startswith("{")
    assert re.fullmatch(r"(19|20)\d\d", field(entry, "year"))
    prefixes = {"eprint": "arXiv", "doi": "doi", "url": "url"}
    names = [f"{p}:{field(entry, n)}" for n, p in prefixes.items() if field(entry, n)]
    for name in names or [f"inspire:{first.split('{')[1].rstrip(',')}"]:
        assert bibtex([name]) == entry + "\n"


def test_keys_and_identifiers_are_unique():
    keys = [entry.splitlines()[0] for entry in ENTRIES]
    prints = [field(e, name) for e in ENTRIES for name in ("eprint", "doi", "url")]
    present = [value for value in prints if value]

    assert len(set(keys)) == len(keys) == TEXT.count("@")
    assert len(set(present)) == len(present)


def test_arxiv_keys_look_like_arxiv():
    prints = [field(entry, "eprint") for entry in ENTRIES if field(entry, "eprint")]

    assert all(re.fullmatch(r"\d{4}\.\d{4,5}|[a-z-]+/\d{7}", key) for key in prints)


@pytest.mark.parametrize("reference", NEEDED)
def test_the_papers_behind_the_package_are_there(reference):
    entry = bibtex([reference])

    assert reference.split(":", 1)[1] in entry


def test_order_is_kept_and_a_paper_comes_once():
    text = bibtex(["arXiv:1609.04026", "arXiv:1403.2727", "arXiv:1403.2727"])

    assert text.count("@article") == 2
    assert text.index("1609.04026") < text.index("1403.2727")
    assert bibtex([]) == ""


def test_unknown_references_suggest_a_known_one():
    with pytest.raises(UnknownName, match=r"Did you mean 'arXiv:1403\.2727'"):
        bibtex(["arXiv:1403.272"])


@pytest.mark.parametrize("reference", ["arXiv:2501.00001", "arXiv:hep-ph/9803313"])
def test_a_paper_from_outside_is_cited_by_its_number(reference):
    number = reference.removeprefix("arXiv:")

    assert bibtex([reference]) == f"@misc{{{reference},\n  eprint = {{{number}}},\n}}\n"


def test_provenance_is_light():
    code = "import sys, darksector.provenance as p; p.bibtex([]); print(*sys.modules)"
    loaded = subprocess.check_output([sys.executable, "-c", code], text=True).split()

    assert not {"jax", "matplotlib", "numpy"} & set(loaded)
