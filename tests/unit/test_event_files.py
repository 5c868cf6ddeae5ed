"""Files of events: every bit comes back, and other programs read the same."""

from __future__ import annotations

import builtins
import gzip
import json
import re
import shutil
from dataclasses import replace
from types import SimpleNamespace

import jax.numpy as jnp
import numpy as np
import pyhepmc
import pylhe
import pytest
import uproot
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from darksector import machines
from darksector.errors import (
    InvalidConfig,
    InvalidFile,
    MissingExtra,
    OutOfDomain,
    OutputError,
)
from darksector.events import Events
from darksector.generators.decay import Mode, decay
from darksector.io import event_file, lhe
from darksector.io.text import Template, fill, parse
from darksector.kinematics import momentum
from darksector.phasespace.two_body import two_body

ALP, GAMMA = 36, 22
ENDINGS = (".lhe", ".lhe.gz", ".hepmc", ".hepmc.gz", ".root")
MACHINE = machines.load("superkekb")
BEAMS = np.array([MACHINE.p_her, MACHINE.p_ler])
N = 200


def alps(n=N, *, spread=0.0, radiated=0.0, seed=1):
    """Return e+e- -> gamma a, each beam scaled for itself."""
    random = np.random.default_rng(seed)
    scale = 1 + spread * random.normal(size=(n, 2))
    kept = 1 - radiated * random.random((n, 2)) ** 8
    hard = momentum(jnp.asarray((scale * kept) @ BEAMS))
    cosine, phi = (jnp.asarray(random.uniform(-a, a, n)) for a in (1.0, np.pi))
    photon, alp = two_body(hard, (0.0, 0.3**2), cosine, phi)
    return Events(
        momenta=jnp.stack((photon.array(), alp.array()), axis=1),
        weights=jnp.asarray(random.random(n)),
        p_beams=jnp.asarray(scale @ BEAMS),
        pdg=(GAMMA, ALP),
    )


def displaced(n=N, **kwargs):
    """Return events of a long-lived ALP, made off the origin, that decays in two steps."""
    random = np.random.default_rng(7)
    events = alps(n, **kwargs)
    spot = random.normal(size=(n, 1, 4)) * [0.0, 1e-3, 1e-4, 0.05]
    events = replace(events, vertices=jnp.asarray(np.repeat(spot, 2, axis=1)))
    pions = Mode((111, GAMMA), (0.1349768, 0.0), ctau=2.0)
    photons = Mode((GAMMA, GAMMA), (0.0, 0.0))
    events = decay(random.random((n, 3)), events, 1, pions)
    return decay(random.random((n, 3)), events, 2, photons)


def prompt(n=N, **kwargs):
    u = np.random.default_rng(8).random((n, 3))
    return decay(u, alps(n, **kwargs), 1, Mode((GAMMA, GAMMA), (0.0, 0.0)))


SAMPLES = {
    "no radiation": alps(),
    "energy spread": alps(spread=6e-4),
    "radiation and spread": alps(spread=6e-4, radiated=0.9),
    "prompt decay": prompt(),
    "displaced decays": displaced(),
    "everything": displaced(spread=6e-4, radiated=0.9),
    "one event": alps(1),
    "two blocks": alps(20_000, radiated=0.5),
}


def metadata(events, **changes):
    found = event_file.SampleInfo(
        process="gamma_alp",
        title="e+e- -> gamma a",
        cross_section_fb=float(events.weights.sum()),
        error_fb=0.25,
        beams=tuple(tuple(beam) for beam in BEAMS.tolist()),
        conventions={"coupling": "alpha(0)", "order": "tree level"},
        seed=20261125,
        command=r"darksector generate 'a\b' </darksector> é & | more" + ' "quoted"\n',
        weighted=True,
        version="0.1.0",
    )
    return replace(found, **changes)


@pytest.fixture
def saved(tmp_path):
    """Return a function that writes a sample and returns where."""

    def save(events, ending, **changes):
        path = tmp_path / f"sample{ending}"
        event_file.write(events, path, metadata=metadata(events, **changes))
        return path

    return save


def assert_same(found, expected):
    for name in ("momenta", "weights", "p_beams", "vertices"):
        a, b = getattr(found, name), getattr(expected, name)
        assert (a is None) == (b is None), name
        assert a is None or np.array_equal(a, b), name
    assert (found.pdg, found.mothers) == (expected.pdg, expected.mothers)


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("kind", SAMPLES)
def test_every_bit_comes_back(saved, kind, ending):
    events = SAMPLES[kind]

    found = event_file.read(saved(events, ending))

    assert_same(found.events, events)
    assert found.metadata == metadata(events)


@given(
    st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=30)
)
def test_text_keeps_every_bit_of_a_number(values):
    numbers = np.array(values)[:, None]
    template = Template("P 1 * 22\n")

    again = parse(template, fill(template, numbers), len(values))

    assert np.array_equal(again.view(np.uint64), numbers.view(np.uint64))


@pytest.mark.parametrize("ending", ENDINGS)
def test_chunks_make_the_same_file_as_the_whole(tmp_path, ending):
    events = displaced(radiated=0.5)
    halves = [
        replace(
            events,
            **{
                name: getattr(events, name)[rows]
                for name in ("momenta", "weights", "p_beams", "vertices")
            },
        )
        for rows in (slice(0, 90), slice(90, N))
    ]
    path = tmp_path / f"chunks{ending}"

    event_file.write_chunks(iter(halves), path, count=N, metadata=metadata(events))

    assert_same(event_file.read(path).events, events)
    if ending != ".root":
        whole = tmp_path / f"whole{ending}"
        event_file.write(events, whole, metadata=metadata(events))
        assert path.read_bytes() == whole.read_bytes()


def test_pylhe_reads_our_lhe(saved):
    events = displaced(spread=6e-4, radiated=0.9)
    file = pylhe.LHEFile.fromfile(str(saved(events, ".lhe.gz")))

    found = list(file.events)

    sigma_pb = 1e-3 * float(events.weights.sum())
    process = file.init.procInfo[0]
    assert (process.xSection, process.error) == (sigma_pb, 0.25e-3)
    assert file.init.initInfo.weightingStrategy == -4
    mean = np.mean([event.eventinfo.weight for event in found])
    assert mean == pytest.approx(sigma_pb, rel=1e-12)
    particles = found[3].particles
    assert [p.id for p in particles] == [11, -11, 22, 22, 22, 36, 111, 22, 22, 22]
    assert [p.status for p in particles] == [-1, -1, 1, 1, 1, 2, 2, 1, 1, 1]
    assert [p.mother1 for p in particles] == [0, 0, 1, 1, 1, 1, 6, 6, 7, 7]
    momenta = np.array([[(p.e, p.px, p.py, p.pz) for p in e.particles] for e in found])
    assert np.array_equal(momenta[:, 4:], events.momenta)
    statuses = np.array([p.status for p in particles])
    balance = momenta[:, statuses == 1].sum(axis=1) - momenta[:, statuses == -1].sum(1)
    assert_allclose(balance, 0, atol=1e-12)
    assert_allclose(momenta[:, :2].sum(axis=1), events.p_beams, atol=1e-12)


def test_lifetimes_in_lhe_are_proper_times_in_mm(saved):
    """VTIMUP = c·τ of the particle; over many events its mean is ctau."""
    events = displaced(1000)
    file = pylhe.LHEFile.fromfile(str(saved(events, ".lhe")))

    times = np.array([[p.lifetime for p in e.particles] for e in file.events])

    assert times[:, 3].mean() == pytest.approx(20.0, rel=4 / np.sqrt(1000))
    assert_allclose(np.delete(times, 3, axis=1), 0, atol=1e-12)
    flight = np.linalg.norm(
        np.asarray(events.vertices[:, 2] - events.vertices[:, 1])[:, 1:], axis=1
    )
    p = np.linalg.norm(np.asarray(events.momenta[:, 1, 1:]), axis=1)
    assert_allclose(times[:, 3], 10 * flight * 0.3 / p, rtol=1e-9)


@pytest.mark.parametrize("radiated", [0.0, 0.9])
def test_the_reader_of_other_generators_takes_our_lhe(saved, radiated):
    events = prompt(radiated=radiated)

    sample = lhe.read(saved(events, ".lhe"))

    photons = (22, 22) if radiated else ()
    assert sample.pdgs == (*photons, 22, 22, 22)
    kept = np.asarray(events.momenta)[:, [0, 2, 3]]
    assert np.array_equal(sample.momenta[:, -3:], kept)
    assert_allclose(sample.beams, BEAMS, rtol=1e-12)
    assert sample.cross_section_fb == pytest.approx(float(events.weights.sum()))
    assert_allclose(sample.weights, np.asarray(events.weights) * N * 1e-3)


def test_unweighted_events_count_one(saved):
    events = replace(alps(), weights=jnp.full(N, 0.37))
    path = saved(events, ".lhe", weighted=False)

    assert np.array_equal(lhe.read(path).weights, np.ones(N))
    assert_same(event_file.read(path).events, events)


def test_pyhepmc_reads_our_hepmc(saved):
    events = displaced(spread=6e-4, radiated=0.9)
    with pyhepmc.open(saved(events, ".hepmc.gz")) as file:
        found = list(file)

    assert len(found) == N
    event = found[5]
    assert event.event_number == 5
    assert event.weights == [float(events.weights[5])]
    assert event.run_info.tools[0].name == "darksector"
    about = json.loads(str(event.run_info.attributes["darksector"]))
    assert about["metadata"]["command"] == metadata(events).command
    assert event.cross_section.xsec() == 1e-3 * float(events.weights.sum())
    particles = event.numpy.particles
    assert particles.pid.tolist() == [11, -11, 22, 22, 22, 36, 111, 22, 22, 22]
    assert particles.status.tolist() == [4, 4, 1, 1, 1, 2, 2, 1, 1, 1]
    momenta = np.array([particles.e, particles.px, particles.py, particles.pz]).T
    assert np.array_equal(momenta[4:], events.momenta[5])
    for vertex in event.vertices:
        into, out = (sum_of(p) for p in (vertex.particles_in, vertex.particles_out))
        assert_allclose(into, out, atol=1e-12)


def sum_of(particles):
    return np.sum([list(p.momentum) for p in particles], axis=0)


def test_hepmc_vertices_are_in_cm_and_convert_to_mm(saved):
    events = displaced()
    with pyhepmc.open(saved(events, ".hepmc")) as file:
        event = file.read()

    expected = np.asarray(events.vertices[0])[[0, 2, 4]][:, [1, 2, 3, 0]]
    assert np.array_equal([list(v.position) for v in event.vertices], expected)
    event.set_units(pyhepmc.Units.GEV, pyhepmc.Units.MM)
    places = [list(v.position) for v in event.vertices]
    assert_allclose(places, 10 * expected, rtol=1e-15)
    mother = event.vertices[1].particles_in[0]
    assert (mother.pid, mother.end_vertex.id) == (36, -2)


def test_uproot_reads_our_root(saved):
    events = displaced(radiated=0.9)

    with uproot.open(saved(events, ".root")) as file:
        tree = file["events"]
        arrays = tree.arrays(library="np")
        about = json.loads(file["darksector"])

    assert tree.title == "e+e- -> gamma a"
    assert about["metadata"]["seed"] == 20261125
    assert arrays["pdg"][0].tolist() == [11, -11, 22, 22, 22, 36, 111, 22, 22, 22]
    assert arrays["status"][9].tolist() == [4, 4, 1, 1, 1, 2, 2, 1, 1, 1]
    assert arrays["mother"][9].tolist() == [-1, -1, -1, -1, -1, -1, 5, 5, 6, 6]
    momenta = np.stack([arrays[name] for name in ("e", "px", "py", "pz")], axis=2)
    places = np.stack([arrays[name] for name in ("ct", "x", "y", "z")], axis=2)
    assert np.array_equal(momenta[:, 4:], events.momenta)
    assert np.array_equal(places[:, 4:], events.vertices)
    assert np.array_equal(arrays["weight"], events.weights)
    final = np.where(arrays["status"] == 1, 1.0, 0.0)
    total = (momenta * final[..., None]).sum(axis=1)
    assert_allclose(total, events.p_beams, atol=1e-12)


def test_collinear_photons_follow_the_beams(saved):
    events = alps(radiated=0.9)
    with uproot.open(saved(events, ".root")) as file:
        arrays = file["events"].arrays(library="np")

    for photon, beam in ((2, BEAMS[0]), (3, BEAMS[1])):
        energy = arrays["e"][:, photon]
        assert (energy >= 0).all()
        assert energy.max() > 0.1 * beam[0]
        for name, component in zip(("px", "py", "pz"), beam[1:], strict=True):
            expected = energy * component / beam[0]
            assert_allclose(arrays[name][:, photon], expected, atol=1e-12)


@pytest.mark.parametrize("name", ["events.txt", "events", ".root", "events.gz"])
def test_other_endings_name_those_allowed(tmp_path, name):
    for use in (
        lambda path: event_file.write(alps(), path, metadata=metadata(alps())),
        event_file.read,
    ):
        with pytest.raises(InvalidConfig, match=r"allowed are \.lhe, .*\.root: rename"):
            use(tmp_path / name)


def nan_in(name):
    events = displaced()
    return replace(events, **{name: getattr(events, name).at[3].set(jnp.nan)})


def other_vertices():
    events = displaced()
    return replace(events, vertices=events.vertices.at[0, 3, 1].add(1.0))


BAD = {
    "nan momenta": (nan_in("momenta"), "momenta of event 3 .* not finite"),
    "nan weights": (nan_in("weights"), "weights of event 3"),
    "nan beams": (nan_in("p_beams"), "p_beams of event 3"),
    "nan vertices": (nan_in("vertices"), "vertices of event 3"),
    "code 0": (replace(alps(), pdg=(22, 0)), "PDG codes other than 0"),
    "none": (alps(0), "at least one event"),
    "mothers": (replace(alps(), mothers=(1, -1)), "append daughters after mothers"),
    "few mothers": (replace(alps(), mothers=(-1,)), "do not fit the 2 slots"),
    "vertices": (other_vertices(), "different vertices"),
    "lost": (
        replace(alps(), momenta=alps().momenta.at[4, 0].add(1e-3)),
        "event 4 has a final state that does not conserve momentum",
    ),
    "beams": (
        replace(alps(), p_beams=jnp.asarray([[10.58, 0.0, 0.0, 0.0]] * N)),
        "beams that are not those of the metadata",
    ),
}


@pytest.mark.parametrize("ending", [".lhe", ".hepmc", ".root"])
@pytest.mark.parametrize("kind", BAD)
def test_bad_events_are_refused_and_leave_nothing(tmp_path, kind, ending):
    events, reason = BAD[kind]

    path = tmp_path / f"bad{ending}"

    with pytest.raises(OutOfDomain, match=reason):
        event_file.write(events, path, metadata=metadata(alps()))

    assert list(tmp_path.iterdir()) == []


def test_events_of_weight_zero_need_not_conserve_momentum(saved):
    events = alps()
    events = replace(
        events,
        momenta=events.momenta.at[4, 0].add(1.0),
        weights=events.weights.at[4].set(0.0),
    )

    assert_same(event_file.read(saved(events, ".root")).events, events)


def test_weights_of_unweighted_events_must_be_equal(tmp_path):
    with pytest.raises(OutOfDomain, match="set weighted=True"):
        event_file.write(
            alps(), tmp_path / "a.lhe", metadata=metadata(alps(), weighted=False)
        )


@pytest.mark.parametrize(
    ("chunks", "count", "reason"),
    [
        pytest.param([], 1, "no chunks", id="none"),
        pytest.param([alps()], N + 1, "201 were announced", id="fewer"),
        pytest.param([alps(), prompt()], 2 * N, "unlike the first", id="others"),
    ],
)
def test_chunks_that_do_not_fit_leave_the_old_file(saved, chunks, count, reason):
    path = saved(alps(), ".hepmc")
    before = path.read_bytes()

    with pytest.raises(OutOfDomain, match=reason):
        event_file.write_chunks(chunks, path, count=count, metadata=metadata(alps()))

    assert path.read_bytes() == before
    assert len(list(path.parent.iterdir())) == 1


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"cross_section_fb": np.nan}, id="nan"),
        pytest.param({"error_fb": -1.0}, id="negative"),
        pytest.param(
            {"beams": ((7.0, 0.0, 0.0, 7.0), (4.0, 0.0, 0.0, np.inf))}, id="infinite"
        ),
        pytest.param({"beams": ((7.0, 0.0, 7.0), (4.0, 0.0, -4.0))}, id="three"),
    ],
)
def test_metadata_are_checked(changes):
    with pytest.raises(OutOfDomain, match=r"finite .*; (take|write)"):
        metadata(alps(), **changes)


def rows_of(path, change):
    """Change the text of a file."""
    path.write_bytes(change(path.read_bytes()))
    return path


TEXT_DAMAGE = {
    "halved": lambda text: text[: len(text) // 2],
    "without its end": lambda text: text[: text.rindex(b"\n", 0, -25) + 1],
    "longer": lambda text: text + b"more\n",
    "empty": lambda _: b"",
    "binary": lambda _: bytes(range(256)) * 40,
    "other code": lambda text: text.replace(b" 36 ", b" 35 "),
    "not a number": lambda text: text.replace(b" 7.00", b" 7,00"),
    "nan": lambda text: re.sub(rb" 7\.00\d+", b" nan", text),
    "other count": lambda text: text.replace(b'"count": 200', b'"count": 199'),
    "no count": lambda text: text.replace(b'"count": 200', b'"count": 0'),
    "huge count": lambda text: text.replace(b'"count": 200', b'"count": 1e13'),
    "later format": lambda text: text.replace(b'"format": 1', b'"format": 2'),
    "no seed": lambda text: text.replace(b'"seed"', b'"speed"'),
    "negative": lambda text: text.replace(b'_fb": 0.25', b'_fb": -1'),
    "photons": lambda text: text.replace(b'"photons": 0', b'"photons": 1'),
    "not JSON": lambda text: text.replace(b'"metadata": {', b'"metadata": '),
}


@pytest.mark.parametrize("ending", [".lhe", ".hepmc"])
@pytest.mark.parametrize("damage", TEXT_DAMAGE)
def test_damaged_text_is_one_clear_error(saved, damage, ending):
    path = rows_of(saved(alps(spread=6e-4), ending), TEXT_DAMAGE[damage])

    with pytest.raises(InvalidFile, match=r"'sample\..* cannot be read: .* Remedy: "):
        event_file.read(path)


@pytest.mark.parametrize("ending", [".lhe.gz", ".hepmc.gz", ".root"])
def test_a_file_cut_anywhere_is_noticed(saved, ending):
    path = saved(alps(), ending)
    content = path.read_bytes()

    for part in (0.02, 0.1, 0.3, 0.5, 0.7, 0.9, 0.99):
        path.write_bytes(content[: int(part * len(content))])
        with pytest.raises(InvalidFile):
            event_file.read(path)


def foreign(path, ending):
    if ending == ".root":
        with uproot.recreate(path) as file:
            file.mktree("other", {"x": "f8"}).extend({"x": np.ones(3)})
    elif ending == ".hepmc":
        with pyhepmc.open(path, "w") as file:
            event = pyhepmc.GenEvent()
            event.add_particle(pyhepmc.GenParticle((0, 0, 1, 1), 22, 1))
            file.write(event)
    else:
        path.write_text('<LesHouchesEvents version="3.0">\n' + "<init>\n" * 9)


@pytest.mark.parametrize("ending", [".lhe", ".hepmc", ".root"])
def test_files_of_others_and_none_are_refused(tmp_path, ending):
    path = tmp_path / f"foreign{ending}"
    with pytest.raises(InvalidFile, match="cannot be read"):
        event_file.read(path)

    foreign(path, ending)

    with pytest.raises(InvalidFile, match=r"use darksector\.io\.lhe\.read"):
        event_file.read(path)


def test_a_format_under_another_name_is_refused(saved):
    for ending, other in ((".lhe", ".root"), (".root", ".hepmc"), (".hepmc", ".lhe")):
        path = saved(alps(), ending)
        with pytest.raises(InvalidFile):
            event_file.read(path.rename(path.with_suffix(other)))


def test_a_root_file_with_other_content_is_refused(saved):
    path = saved(alps(), ".root")
    with uproot.open(path) as file:
        about = file["darksector"]
        arrays = file["events"].arrays(library="np")
    for name, change in (
        ("pdg", lambda a: a + 1),
        ("weight", lambda a: a * np.nan),
        ("px", lambda a: a[:, :2]),
    ):
        with uproot.recreate(path) as file:
            file["darksector"] = str(about)
            columns = arrays | {name: change(arrays[name])}
            shapes = {k: (a.dtype, a.shape[1:]) for k, a in columns.items()}
            file.mktree("events", shapes).extend(columns)
        with pytest.raises(InvalidFile):
            event_file.read(path)


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_full_disk_is_noticed_before(tmp_path, monkeypatch, ending):
    full = SimpleNamespace(free=10_000)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: full)
    path = tmp_path / f"big{ending}"

    with pytest.raises(OutputError, match=r"needs about 0.* MB.* 0\.01 MB free; write"):
        event_file.write(alps(), path, metadata=metadata(alps()))

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize(
    "kind", ["energy spread", "everything", "two blocks", "one event"]
)
def test_the_needed_room_is_above_the_size_but_not_far(
    saved, monkeypatch, kind, ending
):
    asked = []
    monkeypatch.setattr(
        event_file, "check_room", lambda _, needed: asked.append(needed)
    )

    size = saved(SAMPLES[kind], ending).stat().st_size

    assert size < asked[0] < 1.3 * size + 30_000


def test_a_disk_that_fills_up_leaves_nothing(tmp_path, monkeypatch):
    def failing(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("darksector.io.event_file.fill", failing)

    with pytest.raises(OutputError, match="No space left on device; choose another"):
        event_file.write(alps(), tmp_path / "a.lhe", metadata=metadata(alps()))

    assert list(tmp_path.iterdir()) == []


def test_a_missing_uproot_names_the_extra(tmp_path, monkeypatch):
    real = builtins.__import__

    def without_uproot(name, *args, **kwargs):
        if name == "uproot":
            raise ImportError
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without_uproot)

    for use in (
        event_file.read,
        lambda path: event_file.write(alps(), path, metadata=metadata(alps())),
    ):
        with pytest.raises(MissingExtra, match=r"pip install 'darksector\[root\]'"):
            use(tmp_path / "a.root")


def test_compression_is_recognised_by_content(saved):
    events = alps()
    path = saved(events, ".lhe")
    path.write_bytes(gzip.compress(path.read_bytes()))

    assert_same(event_file.read(path).events, events)
