from __future__ import annotations

import builtins
import gzip
import io

import numpy as np
import pytest
from numpy.testing import assert_allclose

from darksector.errors import InvalidConfig, InvalidFile, MissingExtra
from darksector.io import lhe

HALF = 5.29
ZPRIME = 9000102
MU_MINUS = (2.3872823222, 0.60820737598, 4.0249617214, 4.7202238988)
MU_PLUS = (-0.82865789499, 0.99996104024, -2.8635020882, 3.1460139693)


def particle(pdg, status, momentum):
    numbers = " ".join(f"{x:.12g}" for x in momentum)
    mothers = "0 0" if status == -1 else "1 2"
    return f"{pdg} {status} {mothers} 0 0 {numbers} 0. 0. 9."


def rest(*momenta):
    """What is left of the beams, as (px, py, pz, E)."""
    return tuple(np.array([0.0, 0.0, 0.0, 2 * HALF]) - np.sum(momenta, axis=0))


ELECTRON = particle(11, -1, (0, 0, HALF, HALF))
POSITRON = particle(-11, -1, (0, 0, -HALF, HALF))
FINAL = {
    13: particle(13, 1, MU_MINUS),
    -13: particle(-13, 1, MU_PLUS),
    ZPRIME: particle(ZPRIME, 1, rest(MU_MINUS, MU_PLUS)),
}


def event(*lines, weight="1.0", announced=None):
    count = len(lines) if announced is None else announced
    return "\n".join(
        ["<event>", f"{count} 1 {weight} 91.2 0.0073 0.118", *lines, "</event>"]
    )


def beams_and(*lines, **kwargs):
    return event(ELECTRON, POSITRON, *lines, **kwargs)


def document(*events, sigma="0.99", before="", header=""):
    return "\n".join(
        [
            f'{before}<LesHouchesEvents version="1.0">',
            header,
            "<init>",
            f"11 -11 {HALF} {HALF} 0 0 0 0 3 1",
            f"{sigma} 0.0 1.0 1",
            "</init>",
            *events,
            "</LesHouchesEvents>",
        ]
    )


GOOD = beams_and(*FINAL.values())


@pytest.fixture
def write(tmp_path):
    def to_file(content, name="sample.lhe"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return to_file


@pytest.fixture
def sample(write):
    return lhe.read(write(document(GOOD, GOOD)))


def test_a_sample_has_beams_slots_momenta_and_a_cross_section_in_fb(sample):
    assert sample.cross_section_fb == pytest.approx(990.0)
    assert sample.pdgs == (13, -13, ZPRIME)
    assert_allclose(sample.beams, [[HALF, 0, 0, HALF], [HALF, 0, 0, -HALF]])
    px, py, pz, energy = MU_MINUS
    assert_allclose(sample.momenta[:, 0], [[energy, px, py, pz]] * 2)
    assert_allclose(sample.weights, 1.0)


def test_compression_is_recognised_by_content(write, sample):
    packed = gzip.compress(document(GOOD, GOOD).encode())

    for name in ("sample.lhe.gz", "sample.lhe"):
        assert_allclose(lhe.read(write(packed, name)).momenta, sample.momenta)


def test_every_event_comes_in_the_order_of_the_first(write, sample):
    shuffled = event(POSITRON, FINAL[ZPRIME], FINAL[13], ELECTRON, FINAL[-13])

    mixed = lhe.read(write(document(GOOD, shuffled)))

    assert mixed.pdgs == sample.pdgs
    assert_allclose(mixed.momenta, sample.momenta)
    assert_allclose(mixed.beams, sample.beams)


def test_equal_particles_keep_their_order_among_other_slots(write):
    a, b = (1.0, 0.5, 0.2, 3.0), (-0.3, 0.1, 1.5, 2.0)
    first = beams_and(
        particle(22, 1, a), particle(12, 1, rest(a, b)), particle(22, 1, b)
    )
    second = beams_and(
        particle(12, 1, rest(a, b)), particle(22, 1, a), particle(22, 1, b)
    )

    sample = lhe.read(write(document(first, second)))

    assert sample.pdgs == (22, 12, 22)
    assert_allclose(sample.momenta[0], sample.momenta[1])
    assert_allclose(sample.momenta[1, 2], [2.0, -0.3, 0.1, 1.5])


def test_intermediate_particles_weights_comments_and_reweighting_are_taken(write):
    lines = [
        particle(23, 2, rest(rest(MU_MINUS, MU_PLUS))),
        *FINAL.values(),
        "#pdf 0 0 0.0 0.0 0.0 0.0 0.0",
        "<rwgt><wgt id='1'> 2.0 </wgt></rwgt>",
    ]

    sample = lhe.read(write(document(beams_and(*lines, weight="-0.5", announced=6))))

    assert sample.pdgs == (13, -13, ZPRIME)
    assert sample.weights.tolist() == [-0.5]


def test_an_open_cross_section_is_none(write):
    assert lhe.read(write(document(GOOD, sigma="0.0"))).cross_section_fb is None


def bombs():
    levels = "".join(
        f'<!ENTITY l{i} "{f"&l{i - 1};" * 10}">' if i else '<!ENTITY l0 "lol">'
        for i in range(10)
    )
    yield f"<!DOCTYPE LesHouchesEvents [{levels}]>", "&l9;"
    yield '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/hostname">]>', "&x;"


@pytest.mark.parametrize(("doctype", "use"), list(bombs()))
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_entities_are_refused_before_they_expand(write, doctype, use, encoding):
    xml = f'<?xml version="1.0" encoding="{encoding}"?>{doctype}'
    text = document(GOOD, before=xml, header=f"<header>{use}</header>")

    with pytest.raises(InvalidFile, match="DOCTYPE"):
        lhe.read(write(text.encode(encoding)))


def cut_gzip():
    return gzip.compress(document(*[GOOD] * 50).encode())


LONG = document(GOOD, GOOD, GOOD)
DAMAGED = {
    "in an event": (LONG[: LONG.rindex("13 1 1 2")], "its XML"),
    "between events": (document(GOOD).removesuffix("</LesHouchesEvents>"), "its XML"),
    "gzip halved": (cut_gzip()[:200], "end-of-stream"),
    "gzip without its check sum": (cut_gzip()[:-4], "end-of-stream"),
    "gzip altered": (
        cut_gzip()[:60] + bytes([cut_gzip()[60] ^ 0xFF]) + cut_gzip()[61:],
        "its XML",
    ),
    "empty": ("", "its XML"),
    "binary": (bytes(range(256)), "its XML"),
    "hdf5": (b"\x89HDF\r\n\x1a\n" + bytes(64), "its XML"),
    "other XML": ("<html><body/></html>", "its header: Root element"),
    "other encoding": ('<?xml version="1.0" encoding="nonsense"?><a/>', "its XML"),
    "no init": (
        '<LesHouchesEvents version="1.0"><event></event></LesHouchesEvents>',
        "its header",
    ),
    "no events": (document(), "no events"),
    "empty event": (document(GOOD, "<event></event>"), "event 2"),
    "words": (document(GOOD, beams_and("muon", "muon")), "event 2: "),
    "few columns": (document(GOOD, beams_and("13 1 1 2 0 0 1.0")), "event 2: "),
    "infinite code": (document(GOOD, beams_and("inf 1 1 2 0 0 1 1 1 1 1 1 1")), "2: "),
    "announced": (document(beams_and(*FINAL.values(), announced=7)), "announces 7"),
    "not a number": (
        document(GOOD, beams_and(FINAL[13].replace("2.387", "nan 2.387", 1))),
        "event 2 has a number that is not finite",
    ),
    "weight": (document(beams_and(*FINAL.values(), weight="nan")), "not finite"),
    "cross-section": (document(GOOD, sigma="nan"), "cross-section nan"),
    "protons": (
        document(event(ELECTRON.replace("11", "2212", 1), POSITRON, FINAL[13])),
        r"\[2212, -11\]",
    ),
    "one beam": (document(event(ELECTRON, *FINAL.values())), r"\[11\]"),
    "beam spectrum": (
        document(
            GOOD,
            event(particle(11, -1, (0, 0, 5.2, 5.2)), POSITRON, *FINAL.values()),
        ),
        "other beams in event 2",
    ),
    "other process": (
        document(GOOD, beams_and(*FINAL.values(), particle(22, 1, (0, 0, 0, 0)))),
        "event 2 has the final state",
    ),
    "nothing final": (document(event(ELECTRON, POSITRON)), "no final state"),
    "momentum lost": (
        document(GOOD, beams_and(FINAL[13], FINAL[-13], particle(ZPRIME, 1, MU_PLUS))),
        "event 2 does not conserve",
    ),
}


@pytest.mark.parametrize(("content", "reason"), DAMAGED.values(), ids=DAMAGED)
def test_damaged_files_are_one_clear_error(write, content, reason):
    with pytest.raises(InvalidFile, match=reason) as caught:
        lhe.read(write(content))

    assert "'sample.lhe'" in str(caught.value)
    assert "Remedy: " in str(caught.value)


def test_a_file_that_is_not_there(tmp_path):
    for path in (tmp_path / "nowhere.lhe", tmp_path):
        with pytest.raises(InvalidFile, match="is not there"):
            lhe.read(path)


def test_truncation_anywhere_is_noticed(write):
    text = document(GOOD, GOOD)
    for end in range(0, len(text) - 1, 97):
        with pytest.raises(InvalidFile):
            lhe.read(write(text[:end]))


def test_a_missing_pylhe_names_the_extra(write, monkeypatch):
    real = builtins.__import__

    def without_pylhe(name, *args, **kwargs):
        if name == "pylhe":
            raise ImportError
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without_pylhe)

    with pytest.raises(MissingExtra, match=r"pip install 'darksector\[lhe\]'"):
        lhe.read(write(document(GOOD)))


# Beams that cross at 83 mrad, electrons of 7.004 GeV and positrons of 4.002 GeV; here
# the electron mass is left out, as it changes nothing at this precision.
HER = np.array([7.004, 7.004 * np.sin(0.0415), 0.0, 7.004 * np.cos(0.0415)])
LER = np.array([4.002, 4.002 * np.sin(0.0415), 0.0, -4.002 * np.cos(0.0415)])


def dot(p, q):
    return p[..., 0] * q[..., 0] - np.sum(p[..., 1:] * q[..., 1:], axis=-1)


def turned_about_y(sample):
    flip = np.array([1.0, -1.0, 1.0, -1.0])
    return lhe.LheSample(
        sample.cross_section_fb,
        sample.beams * flip,
        sample.pdgs,
        sample.momenta * flip,
        sample.weights,
    )


@pytest.mark.parametrize(
    ("her", "ler"),
    [
        pytest.param(HER, LER, id="SuperKEKB"),
        pytest.param(
            HER * [1, 1, 1, -1], LER * [1, 1, 1, -1], id="electrons towards -z"
        ),
        pytest.param(
            np.array([9.0, 0, 0, 9.0]), np.array([3.1, 0, 0, -3.1]), id="head-on"
        ),
        pytest.param(
            np.array([9.0, 0, 0, -9.0]), np.array([3.1, 0, 0, 3.1]), id="head-on to -z"
        ),
    ],
)
@pytest.mark.parametrize("turn", [lambda s: s, turned_about_y], ids=["+z", "-z"])
def test_the_boost_keeps_invariants_and_puts_the_beams_in_place(sample, her, ler, turn):
    source = turn(sample)

    moved = lhe.to_lab(source, her, ler, tolerance=1e-2)

    assert_allclose(moved.beams, [her, ler], rtol=0, atol=0.02)
    assert_allclose(moved.beams[:, 0].sum(), (her + ler)[0], atol=0.02)
    assert_allclose(moved.momenta.sum(axis=1), [moved.beams.sum(axis=0)] * 2, atol=1e-8)
    everything = np.concatenate([sample.beams, sample.momenta[0]])
    after = np.concatenate([moved.beams, moved.momenta[0]])
    assert_allclose(
        dot(after[:, None], after[None]),
        dot(everything[:, None], everything[None]),
        atol=1e-10,
    )
    assert moved.pdgs == sample.pdgs


def test_laboratory_files_stay_as_they_are(sample):
    there = lhe.to_lab(sample, HER, LER, tolerance=2e-3)

    assert lhe.to_lab(there, HER, LER, tolerance=2e-3) is there


def with_beams(sample, *beams):
    return lhe.LheSample(
        None, np.array(beams, dtype=float), sample.pdgs, sample.momenta, sample.weights
    )


@pytest.mark.parametrize(
    "beams",
    [
        pytest.param([[4, 0, 0, 4], [4, 0, 0, -4]], id="other energy"),
        pytest.param([[5.29, 5.29, 0, 0], [5.29, -5.29, 0, 0]], id="along x"),
        pytest.param([[9, 0, 0, 9], [3.1, 0, 0, -3.1]], id="another machine"),
        pytest.param([LER, HER], id="beams exchanged"),
        pytest.param([[0, 0, 0, 0], [0, 0, 0, 0]], id="nothing"),
        pytest.param([[5.29, 0, 0, 5.29], [5.29, 0, 0, 5.29]], id="side by side"),
    ],
)
def test_other_frames_are_refused_with_both_beams(sample, beams):
    with pytest.raises(InvalidFile, match=r"the machine's, e- .* \(7\.004, 0\.29058"):
        lhe.to_lab(with_beams(sample, *beams), HER, LER)


def test_the_invisible_particle_is_the_one_nobody_knows(sample):
    assert lhe.invisible_id(sample) == ZPRIME
    assert lhe.invisible_id(sample, {13}) == ZPRIME
    assert lhe.invisible_id(sample, given=-13) == -13


def test_neutrinos_are_invisible_and_two_of_them_ambiguous(sample):
    def final(*pdgs):
        momenta = np.zeros((1, len(pdgs), 4))
        return lhe.LheSample(None, sample.beams, pdgs, momenta, np.ones(1))

    assert lhe.invisible_id(final(22, 12)) == 12
    assert lhe.invisible_id(final(13, -13, 12, -12), given=-12) == -12
    with pytest.raises(InvalidFile, match=r"has 2 particles .* --invisible PDG"):
        lhe.invisible_id(final(13, -13, 12, -12))
    with pytest.raises(InvalidFile, match="has 0 particles"):
        lhe.invisible_id(final(13, -13))


def test_an_absent_invisible_particle_names_those_present(sample):
    with pytest.raises(InvalidConfig, match=f"one of 13, -13, {ZPRIME}"):
        lhe.invisible_id(sample, given=52)


def test_pylhe_writes_what_is_read(write, sample):
    """pylhe's own writer: what it writes of a file reads as the file."""
    import pylhe

    source = pylhe.LHEFile.frombuffer(io.BytesIO(document(GOOD, GOOD).encode()))

    again = lhe.read(write(source.tolhe()))

    assert again.pdgs == sample.pdgs
    assert_allclose(again.momenta, sample.momenta, atol=1e-8)
