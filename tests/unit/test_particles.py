from __future__ import annotations

import pytest
from particle import Particle

from darksector.errors import OutOfDomain, UnknownName
from darksector.particles import (
    ELECTRONIC_WIDTH,
    MASS,
    PDG,
    WIDTH,
    ZPRIME,
    code_of,
    name_of,
)

FLAVOURS = {"e", "mu", "tau"}
BASF2 = {  # files named in darksector.particles
    "Z'": 32,
    "A'": 4900023,
    "chi": 4900101,
    "a": 9000006,
    "M": 99666,
}
OURS = {"S", "X", "h'", "chi2"}
NEW = {*BASF2, *OURS} | {f"anti-{name}" for name in ("chi", "chi2", "M")}
NAMES = sorted(set(PDG) - FLAVOURS)
KNOWN = sorted(set(NAMES) - NEW)


@pytest.mark.parametrize("name", NAMES)
def test_names_and_codes_are_inverse(name):
    assert name_of(code_of(name)) == name


@pytest.mark.parametrize("name", sorted(FLAVOURS))
def test_a_flavour_is_its_negative_lepton(name):
    assert name_of(PDG[name]) == f"{name}-"


@pytest.mark.parametrize("name", KNOWN)
def test_codes_are_those_of_the_numbering_scheme(name):
    found = Particle.from_pdgid(PDG[name])
    charge = {"+": 1, "-": -1}.get(name[-1], 1 if name == "p" else 0)

    assert found.charge == (-1 if name == "anti-p" else charge)


@pytest.mark.parametrize("name", sorted(MASS))
def test_masses_are_those_of_the_particle_data_group(name):
    """Two parts in 10⁴: averages move between editions."""
    code = PDG.get(name, PDG.get(f"{name}-"))

    assert MASS[name] == pytest.approx(Particle.from_pdgid(code).mass / 1e3, rel=2e-4)


@pytest.mark.parametrize("name", sorted(WIDTH))
def test_widths_are_those_of_the_particle_data_group(name):
    """Five per cent: averages move between editions."""
    assert WIDTH[name] == pytest.approx(
        Particle.from_pdgid(PDG[name]).width / 1e3, rel=0.05
    )


@pytest.mark.parametrize("name", sorted(ELECTRONIC_WIDTH))
def test_electronic_widths_are_a_small_part_of_a_known_width(name):
    assert 0 < ELECTRONIC_WIDTH[name] < 0.1 * WIDTH[name]
    assert name in MASS


@pytest.mark.parametrize(("name", "code"), BASF2.items())
def test_codes_that_basf2_has_are_kept(name, code):
    assert code_of(name) == code


@pytest.mark.parametrize("name", sorted(OURS))
def test_our_own_codes_are_free_in_the_numbering_scheme(name):
    assert str(code_of(name)).startswith("99")
    assert code_of(name) not in {p.pdgid for p in Particle.all()}


def test_zprime_is_the_one_of_the_numbering_scheme():
    assert ZPRIME == PDG["Z'"] == 32


def test_an_unknown_name_suggests_a_known_one():
    with pytest.raises(UnknownName, match=r"no particle is called 'mu\*'.*'mu[+-]?'"):
        code_of("mu*")


@pytest.mark.parametrize("code", [0, 1, -22, 9000005])
def test_an_unknown_code_lists_the_known_ones(code):
    with pytest.raises(OutOfDomain, match=rf"PDG code {code}; use one of: 11 \(e-\)"):
        name_of(code)
