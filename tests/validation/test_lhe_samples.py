"""Files as other generators write them: MadGraph samples and a live Pythia 8 run."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose

from darksector.io import lhe

SAMPLES = Path(__file__).parents[2].parent / "shared" / "samples"
MASS_MU = 0.1056584
EVENTS = 300
HER = np.array([7.004, 7.004 * np.sin(0.0415), 0.0, 7.004 * np.cos(0.0415)])
LER = np.array([4.002, 4.002 * np.sin(0.0415), 0.0, -4.002 * np.cos(0.0415)])
BEAMS = np.stack([HER, LER])


def mass(momenta):
    return np.sqrt(momenta[..., 0] ** 2 - np.sum(momenta[..., 1:] ** 2, axis=-1))


def recoil_mass(sample, *slots):
    visible = sample.momenta[:, slots].sum(axis=1)
    return mass(sample.beams.sum(axis=0) - visible)


madgraph = pytest.mark.skipif(
    not SAMPLES.is_dir(), reason="the MadGraph samples are not beside this checkout"
)


@madgraph
@pytest.mark.parametrize(
    ("name", "pdgs", "boson", "sigma_pb"),
    [
        ("dimuon_zprime_m1", (13, -13, 9000102), 1.0, 0.99151),
        ("dimuon_zprime_m6", (13, -13, 9000102), 6.0, 6.6297e-3),
        ("gamma_aprime_m1", (22, 9000101), 1.0, 9173.2),
    ],
)
def test_madgraph_samples(name, pdgs, boson, sigma_pb):
    """The cross-sections are those of the files' own <init> blocks (MadGraph 3.1.1)."""
    sample = lhe.read(SAMPLES / f"{name}_madgraph.lhe.gz")

    moved = lhe.to_lab(sample, HER, LER)

    assert sample.pdgs == pdgs
    assert sample.momenta.shape == (2000, len(pdgs), 4)
    assert sample.cross_section_fb == pytest.approx(1e3 * sigma_pb)
    assert lhe.invisible_id(sample) == pdgs[-1]
    assert_allclose(mass(moved.momenta[:, -1]), boson, rtol=1e-6)
    visible = tuple(range(len(pdgs) - 1))
    assert_allclose(recoil_mass(moved, *visible), boson, atol=1e-4)
    assert_allclose(moved.beams, BEAMS, atol=0.01)


@pytest.fixture(scope="session")
def pythia_file(tmp_path_factory):
    """e⁺e⁻ → H γ*/Z* → X μ⁺μ⁻ with a "Higgs" of 1 GeV that stays, from Pythia 8."""
    pythia8 = pytest.importorskip("pythia8mc")
    pythia = pythia8.Pythia("", False)
    for setting in (
        "Beams:idA=11",
        "Beams:idB=-11",
        "Beams:eCM=10.58",
        "PDF:lepton=off",
        "PartonLevel:all=off",
        "HadronLevel:all=off",
        "HiggsSM:ffbar2HZ=on",
        "25:m0=1.",
        "25:doForceWidth=on",
        "25:mWidth=0.",
        "25:mMin=0.5",
        "25:mMax=2.",
        "25:mayDecay=off",
        "23:mMin=0.3",
        "23:mMax=9.",
        "23:onMode=off",
        "23:onIfAny=13",
        "PhaseSpace:mHatMin=1.",
        "Print:quiet=on",
        "Random:setSeed=on",
        "Random:seed=7",
    ):
        assert pythia.readString(setting), setting
    assert pythia.init()
    path = tmp_path_factory.mktemp("pythia") / "pythia.lhe"
    info = pythia.infoPython()  # kept: the writer holds a bare pointer to it
    writer = pythia8.LHAupFromPYTHIA8(pythia.process, info)
    assert writer.openLHEF(str(path))
    writer.setInit()
    writer.initLHEF()
    for _ in range(EVENTS):
        assert pythia.next()
        writer.setEvent()
        writer.eventLHEF()
    # That Info is a copy that never learns the cross-section (mb), so it is entered by
    # hand (pb) before the <init> block is written again.
    sigma_pb = pythia.infoPython().sigmaGen() * 1e9
    writer.setXSec(0, sigma_pb)
    assert writer.closeLHEF(True)
    return path, sigma_pb


def test_pythia_file_reads_as_muons_and_one_invisible_particle(pythia_file):
    path, sigma_pb = pythia_file
    assert " 23     2 " in path.read_text()  # an intermediate particle

    sample = lhe.read(path)

    assert sample.momenta.shape == (EVENTS, 3, 4)
    assert sample.pdgs == (25, 13, -13)
    assert lhe.invisible_id(sample) == 25
    assert sigma_pb > 0
    assert sample.cross_section_fb == pytest.approx(1e3 * sigma_pb, rel=1e-5)
    assert_allclose(mass(sample.momenta[:, 0]), 1.0, rtol=1e-6)
    assert_allclose(mass(sample.momenta[:, 1:]), MASS_MU, rtol=1e-4)
    assert np.std(sample.momenta[:, 1, 3]) > 0.5  # the events differ


def test_pythia_file_moves_to_the_laboratory_of_superkekb(pythia_file):
    sample = lhe.read(pythia_file[0])

    moved = lhe.to_lab(sample, HER, LER)

    assert_allclose(moved.beams, BEAMS, atol=0.01)
    assert_allclose(recoil_mass(moved, 1, 2), 1.0, atol=1e-5)
    assert_allclose(
        mass(moved.momenta[:, 1:].sum(axis=1)), mass(sample.momenta[:, 1:].sum(axis=1))
    )


def test_a_cut_pythia_file_is_refused(pythia_file, tmp_path):
    text = pythia_file[0].read_bytes()
    cut = tmp_path / "cut.lhe"
    cut.write_bytes(text[: len(text) // 2])

    with pytest.raises(lhe.InvalidFile, match=r"cut\.lhe"):
        lhe.read(cut)
