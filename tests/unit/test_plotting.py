"""Figures show what the result holds: gaps stay gaps, and the same run, the same bytes."""

from __future__ import annotations

import dataclasses
import subprocess
import sys

import numpy as np
import pytest
from fake_result import fake_result

from darksector.errors import OutputError
from darksector.limits import published, relic
from darksector.limits.published import CouplingBand
from darksector.plotting import (
    exclusion,
    interactive,
    labels,
    palette,
    placement,
    spectra,
    style,
    views,
)

GRID = np.linspace(0.2, 8, 40)
BANDS = (
    CouplingBand(r"$(g-2)_\mu\ \pm2\sigma$ (2021)", GRID, 0.005 * GRID, 0.007 * GRID),
    CouplingBand(r"$(g-2)_\mu$ bound (2025)", GRID, None, 0.004 * GRID),
)


def overlays(result):
    return [published.load(key) for key in result.published]


def texts(figure):
    panel = figure.axes[0]
    entries = [text.get_text() for text in figure.legends[0].get_texts()]
    return entries, " ".join(text.get_text() for text in panel.texts)


def curve(figure, name):
    """The points of all drawn lines with one legend entry, or of its later pieces."""
    lines = figure.axes[0].lines
    return [line for line in lines if line.get_label() == name]


def test_the_header_says_what_it_is_and_how_much():
    _, header = texts(spectra.recoil_spectrum(fake_result()))

    for words in (labels.SIMULATION, "276 pb", "SuperKEKB", "Belle II"):
        assert words in header


@pytest.mark.parametrize(
    ("method", "words"),
    [
        pytest.param("Bayesian, flat prior", "90 % credibility", id="Bayesian"),
        pytest.param("CLs, asymptotic", "90 % CL", id="frequentist"),
    ],
)
def test_the_header_calls_a_credibility_by_its_name(method, words):
    result = fake_result()
    limits = dataclasses.replace(result.limits, method=method)
    _, header = texts(
        spectra.recoil_spectrum(dataclasses.replace(result, limits=limits))
    )

    assert words in header


def test_spectrum_axes_carry_units_and_bin_width():
    panel = spectra.recoil_spectrum(fake_result()).axes[0]

    assert panel.get_xlabel() == r"$M^2_\mathrm{rec}$ [GeV$^2$]"
    assert panel.get_ylabel() == "events / 1 GeV$^2$"
    assert panel.get_yscale() == "log"


def test_spectrum_names_every_component_and_signal():
    result = fake_result()
    entries, _ = texts(spectra.recoil_spectrum(result))

    assert set(result.labels.components.values()) < set(entries)
    assert sum("at the expected limit" in entry for entry in entries) == 3


def test_a_spectrum_without_events_is_still_a_figure(tmp_path):
    result = fake_result()
    empty = {name: s.scaled(0.0) for name, s in result.spectra.items()}
    bare = dataclasses.replace(result, spectra=empty, signal_spectra={})

    style.save(spectra.recoil_spectrum(bare), tmp_path, "empty")

    assert (tmp_path / "empty.png").stat().st_size > 0


def test_a_run_without_spectra_is_still_a_figure():
    bare = dataclasses.replace(fake_result(), spectra={}, signal_spectra={})

    assert spectra.recoil_spectrum(bare).axes[0].get_xlabel()


def test_efficiency_is_shown_in_percent_with_errors():
    result = fake_result()
    upper, lower = spectra.efficiency_and_resolution(result).axes
    line = upper.containers[0].lines[0]

    assert line.get_ydata() == pytest.approx(100 * result.windows.efficiency)
    assert upper.containers[0].has_yerr
    assert lower.get_ylabel() == "resolution [GeV$^2$]"


def test_a_mass_without_signal_has_no_resolution():
    result = fake_result([1.0, 2.0, 3.0])
    without = dataclasses.replace(
        result.windows, resolution=np.array([2.0, 1.0, 0.0]), efficiency=np.zeros(3)
    )
    figure = spectra.efficiency_and_resolution(
        dataclasses.replace(result, windows=without)
    )
    drawn = np.ma.filled(figure.axes[1].lines[0].get_ydata(), np.nan)

    assert drawn[:2].tolist() == [2.0, 1.0]
    assert np.isnan(drawn[2])


def test_the_signal_cross_section_is_shown_at_a_coupling_of_a_thousandth():
    """It goes with the coupling squared: 1e-6 of that at unit coupling."""
    result = fake_result()
    (panel,) = spectra.signal_cross_section(result).axes

    assert panel.lines[0].get_ydata() == pytest.approx(
        1e-6 * result.windows.signal_sigma
    )
    assert panel.get_ylabel() == "signal cross-section [fb]"
    assert panel.get_yscale() == "log"
    assert "$g'$ = $10^{-3}$" in [text.get_text() for text in panel.texts]


def test_a_coupling_with_a_unit_is_given_with_it():
    result = fake_result()
    units = {"sigma": "fb", "gprime": "GeV$^{-1}$"}
    quantities = {**result.labels.quantities, "gprime": r"$g$ [GeV$^{-1}$]"}
    photon = dataclasses.replace(
        result,
        limits=dataclasses.replace(result.limits, units=units),
        labels=dataclasses.replace(result.labels, quantities=quantities),
    )

    assert labels.at_coupling(photon, "1") == "$g$ = 1 GeV$^{-1}$"


def test_ten_backgrounds_look_different():
    looks = palette.fills(map(str, range(10)))

    assert len(set(looks.values())) == 10


def test_the_median_is_drawn_at_its_values():
    result = fake_result()
    (median,) = curve(exclusion.cross_section_limit(result), "expected")

    assert median.get_ydata() == pytest.approx(result.limits.expected["sigma"])


def test_masked_points_are_gaps_and_never_zeros():
    result = fake_result(masked=(5, 7, 8), observed=True)
    panel = exclusion.cross_section_limit(result).axes[0]
    drawn = [np.ma.filled(line.get_ydata(), np.nan) for line in panel.lines]
    points = np.concatenate([np.asarray(y, float) for y in drawn])
    absent = result.limits.mass[[5, 7, 8]]

    assert np.nanmin(points) > 0
    for line in panel.lines:
        y = np.ma.filled(np.ma.asarray(line.get_ydata(), float), np.nan)
        x = np.asarray(line.get_xdata())[np.isfinite(y)]
        assert not np.isin(absent, x).any()


def test_one_mass_is_a_marker_with_bars():
    panel = exclusion.cross_section_limit(fake_result([3.0])).axes[0]

    assert len(panel.containers) == 2
    assert panel.lines[-1].get_marker() == "o"
    left, right = panel.get_xlim()
    assert left < 3.0 < right


def test_without_any_limit_the_figure_says_why():
    figure = exclusion.cross_section_limit(fake_result([1.0, 2.0], masked=(0, 1)))

    words = [text.get_text() for text in figure.axes[0].texts]
    assert "no limit: no signal in window" in words


def test_the_coupling_figure_names_all_that_it_shows():
    result = fake_result(observed=True)
    figure = exclusion.coupling_limit(result, overlays(result), BANDS)
    entries, _ = texts(figure)

    assert entries[:4] == list(exclusion.OURS)
    assert "BaBar, arXiv:1606.03501, 90 % CL" in entries
    assert {band.label for band in BANDS} < set(entries)
    assert any("B(Z'" in entry for entry in entries)


def further(result, count):
    """Return a result with more limits on its coupling."""
    limits = result.limits
    names = [f"gprime_{i}" for i in range(count)]
    band = limits.expected_band["gprime"]
    more = {name: band * (1 + i / 9) for i, name in enumerate(names)}
    limits = dataclasses.replace(
        limits,
        units={"sigma": "fb", "gprime": "1", **dict.fromkeys(names, "1")},
        expected_band={**limits.expected_band, **more},
    )
    quantities = {**result.labels.quantities, **{n: f"$g'$, {n}" for n in names}}
    labelled = dataclasses.replace(result.labels, quantities=quantities)
    return dataclasses.replace(result, limits=limits, labels=labelled)


def test_limits_under_five_assumptions_are_told_apart():
    result = further(fake_result(), 5)
    panel = exclusion.coupling_limit(result, []).axes[0]
    lines = [x for x in panel.lines if str(x.get_label()).startswith("expected, ")]
    chart = interactive.coupling_limit(result, [])
    traces = [t for t in chart.data if t.name.startswith("expected, ")]

    assert len(lines) == len(traces) == 5
    assert len({x.get_marker() for x in lines}) == 5
    assert len({(x.get_color(), x.get_linestyle()) for x in lines}) == 5
    assert len({t.marker.symbol for t in traces}) == 5


def test_limits_on_another_coupling_or_elsewhere_are_left_out():
    result = fake_result([1.0])
    epsilon = dataclasses.replace(overlays(result)[0], coupling="epsilon")
    figure = exclusion.coupling_limit(result, [epsilon, overlays(result)[1]])
    entries, _ = texts(figure)

    assert not any("arXiv" in entry for entry in entries)


def test_a_divergent_published_curve_does_not_squeeze_ours():
    result = fake_result()
    low, high = views.value_range(
        result, "gprime", [(np.array([1.0, 2.0]), np.array([1e-3, 1e6]))]
    )

    assert low == pytest.approx(5e-4)
    assert high < 10


SQUARE = (np.array([1.0, 4.0, 4.0, 1.0]), np.array([0.02, 0.02, 0.1, 0.1]))


def contour(mass=SQUARE[0], values=SQUARE[1], **changes):
    limit = published.load("lmu_ltau_4mu_babar2016")
    return dataclasses.replace(
        limit, shape="contour", mass=mass, values=values, **changes
    )


def coupled(*limits):
    """Return limits of other planes as if they were on g'."""
    return [dataclasses.replace(limit, coupling="gprime") for limit in limits]


def records(model, coupling):
    limits = [published.load(key) for key in published.names()]
    return [x for x in limits if (x.model, x.coupling) == (model, coupling)]


def test_a_contour_is_drawn_closed_and_filled_within_its_outline():
    figure = exclusion.coupling_limit(fake_result(), [contour()])
    panel = figure.axes[0]
    (line,) = curve(figure, "BaBar, arXiv:1606.03501, 90 % CL")
    (patch,) = panel.patches

    assert line.get_xdata().tolist() == [*SQUARE[0], SQUARE[0][0]]
    assert line.get_ydata().tolist() == [*SQUARE[1], SQUARE[1][0]]
    assert patch.get_path().contains_point((2.0, 0.05))
    assert not patch.get_path().contains_point((2.0, 0.2))


def test_above_a_curve_all_is_filled_to_its_ends():
    panel = exclusion.coupling_limit(fake_result(), overlays(fake_result())[:1]).axes[0]
    (area,) = [c for c in panel.collections if c.get_alpha() == 0.12]

    assert area.get_paths()[0].contains_point((2.0, 1e20))
    assert not area.get_paths()[0].contains_point((2.0, 1e-4))


@pytest.mark.parametrize(
    ("masses", "scale"),
    [
        pytest.param([0.01, 0.1, 9.5], "log", id="of the dark photon"),
        pytest.param([0.25, 1.0, 7.0], "linear", id="below a factor 30"),
    ],
)
def test_masses_of_many_decades_have_a_logarithmic_axis(masses, scale):
    result = fake_result(masses)
    for figure in (
        exclusion.coupling_limit(result, overlays(result)),
        exclusion.cross_section_limit(result),
    ):
        assert figure.axes[0].get_xscale() == scale
        left, right = figure.axes[0].get_xlim()
        assert 0 < left < masses[0]
        assert right > masses[-1]
    chart = interactive.coupling_limit(result, overlays(result))

    assert (chart.layout.xaxis.type or "linear") == scale
    ends = 10.0 ** np.array(chart.layout.xaxis.range) if scale == "log" else None
    assert ends is None or ends == pytest.approx(views.mass_range(result))


def test_the_mass_axis_is_ours_where_we_cover_a_decade():
    far = (np.array([0.01, 100.0]), np.array([0.1, 0.1]))

    alone = views.mass_range(fake_result([0.5, 7.0]))

    assert views.mass_range(fake_result([0.5, 7.0]), [far]) == alone
    assert alone == pytest.approx((0.37, 7.13))  # a margin of 2 %


@pytest.mark.parametrize(
    ("mass", "ends"),
    [
        pytest.param([0.01, 100.0], (2 / 10**0.5, 2 * 10**0.5), id="to a decade"),
        pytest.param([1.5, 3.0], (1.5, 3.0), id="as far as the other reaches"),
        pytest.param([7.0, 9.0], (1.8, 2.2), id="not to what is farther"),
    ],
)
def test_a_narrow_run_shows_its_neighbourhood(mass, ends):
    others = [(np.array(mass), np.array([0.1, 0.1]))]

    assert views.mass_range(fake_result([2.0]), others) == pytest.approx(ends)


def test_a_curve_that_passes_between_its_vertices_is_seen():
    """Two vertices far outside, as those of OPAL: the line between is what matters."""
    flat = contour(np.array([0.01, 60.0]), np.array([0.05, 0.05]))
    flat = dataclasses.replace(flat, shape="curve")
    plane = views.plane(fake_result([1.0, 2.0, 3.0]), "gprime", [flat])

    assert plane.overlays == (flat,)


def test_what_lies_far_above_or_below_ours_sets_no_scale():
    result = fake_result()
    ends = views.value_range(result, "gprime", [])
    tiny = contour(values=SQUARE[1] * 1e-6)
    plane = views.plane(result, "gprime", [tiny, contour(values=SQUARE[1] * 1e4)])

    assert plane.values == ends
    assert plane.overlays == ()


def test_a_contour_sets_the_scale_between_its_vertices():
    """Its vertices lie beside our masses; its edges cross them at 1e-3 and 0.03."""
    wide = np.array([0.01, 90.0, 90.0, 0.01])
    box = contour(wide, np.array([1e-3, 1e-3, 0.03, 0.03]))

    plane = views.plane(fake_result(), "gprime", [box])

    assert plane.values is not None
    assert plane.values[0] == pytest.approx(5e-4)


def test_few_limits_have_a_colour_each_and_many_that_of_their_facility():
    few, many = overlays(fake_result()), records("alp", "g_agg")
    colours = [colour for colour, _ in views.looks(few)]
    drawn = views.looks(many)

    assert len(set(colours)) == len(few)
    for (colour, _), limit in zip(drawn, many, strict=True):
        twins = {
            c
            for (c, _), x in zip(drawn, many, strict=True)
            if x.facility == limit.facility
        }
        assert twins == {colour}
    assert len({colour for colour, _ in drawn}) == len({x.facility for x in many})


def test_lines_of_the_relic_density_differ_in_colour_and_dashes():
    result = fake_result(np.geomspace(0.1, 5, 9))
    bands = relic.relic_lines(alpha_dark=0.1)
    high = [dataclasses.replace(band, high=30 * band.high) for band in bands]
    figure = exclusion.coupling_limit(result, [], high)
    chart = interactive.coupling_limit(result, [], high)
    lines = [line for line in figure.axes[0].lines if "relic" in str(line.get_label())]
    traces = [trace for trace in chart.data if "relic" in trace.name]

    assert len({line.get_color() for line in lines}) == 3
    assert len({line.get_linestyle() for line in lines}) == 3
    assert len({trace.line.dash for trace in traces}) == 3


def test_names_of_many_limits_neither_overlap_nor_leave_the_axes():
    result = fake_result(np.geomspace(0.01, 10, 20))
    figure = exclusion.coupling_limit(result, coupled(*records("alp", "g_agg")))
    panel = figure.axes[0]
    figure.canvas.draw()
    names = [text for text in panel.texts if text.get_transform() == panel.transAxes]
    boxes = [text.get_window_extent() for text in names]

    assert {"OPAL", "BESIII", "LEP"} <= {text.get_text() for text in names}
    for i, box in enumerate(boxes):
        assert panel.bbox.x0 < box.x0 < box.x1 < panel.bbox.x1
        assert panel.bbox.y0 < box.y0 < box.y1 < panel.bbox.y1
        assert not any(box.overlaps(other) for other in boxes[:i])


def test_an_experiment_with_two_limits_is_named_with_the_year():
    limits = coupled(*records("dark_photon", "epsilon"))
    plane = views.plane(fake_result(np.geomspace(0.01, 5, 9)), "gprime", limits)
    wide = dataclasses.replace(plane, values=(1e-6, 1.0), overlays=tuple(limits))
    names = {name.text for name in placement.places(wide, []) if name is not None}

    assert {"NA64 2019", "NA64 2023", "BaBar"} <= names


def test_the_legend_stays_within_the_figure():
    """The dark photon's plane has the longest entries, those of the relic lines."""
    result = fake_result(np.geomspace(0.01, 9.5, 9), observed=True)
    limits = coupled(*records("dark_photon", "epsilon"))
    figure = exclusion.coupling_limit(result, limits, relic.relic_lines(alpha_dark=0.1))
    figure.canvas.draw()
    box = figure.legends[0].get_window_extent()

    assert box.x0 >= 0
    assert box.x1 <= figure.bbox.x1
    assert figure.axes[0].get_position().height > 0.5


@pytest.mark.parametrize("suffix", ["png", "pdf"])
def test_saving_twice_gives_the_same_bytes(tmp_path, suffix):
    for folder in ("a", "b"):
        style.save(
            exclusion.cross_section_limit(fake_result()), tmp_path / folder, "figure"
        )

    first, second = (tmp_path / f / f"figure.{suffix}" for f in ("a", "b"))
    assert first.read_bytes() == second.read_bytes()
    assert sorted(p.name for p in first.parent.iterdir()) == [
        "figure.pdf",
        "figure.png",
    ]


def test_an_unwritable_folder_is_an_output_error(tmp_path):
    (tmp_path / "file").write_text("not a folder")

    figure = exclusion.cross_section_limit(fake_result([1.0]))

    with pytest.raises(OutputError, match="choose another"):
        style.save(figure, tmp_path / "file", "figure")


def test_the_interactive_spectrum_has_the_scale_of_the_printed_one():
    result = fake_result()
    chart = interactive.recoil_spectrum(result)
    printed = spectra.recoil_spectrum(result).axes[0].get_ylim()

    assert 10.0 ** np.array(chart.layout.yaxis.range) == pytest.approx(printed)


def test_interactive_gaps_are_null():
    result = fake_result(masked=(5,))
    chart = interactive.cross_section_limit(result)
    (median,) = [trace for trace in chart.data if trace.name == "expected"]

    assert median.y[5] is None
    assert chart.layout.yaxis.type == "log"


def test_interactive_coupling_shows_the_same_curves():
    result = fake_result(observed=True)
    chart = interactive.coupling_limit(result, overlays(result), BANDS)
    names = {trace.name for trace in chart.data}

    assert {"expected", "observed", "expected ±1σ", "expected ±2σ"} < names
    assert "BaBar, arXiv:1606.03501, 90 % CL" in names


def test_interactive_contours_are_closed_and_filled():
    chart = interactive.coupling_limit(fake_result(), [contour()])
    (trace,) = [trace for trace in chart.data if "BaBar" in trace.name]

    assert trace.fill == "toself"
    assert (trace.x[0], trace.y[0]) == (trace.x[-1], trace.y[-1])


def test_a_target_without_confidence_level_is_named_without_it():
    star = published.load("alp_sn1987a_2017")

    assert labels.published(star) == "SN1987A, arXiv:1712.05813 (recast)"


def test_a_chart_leaves_the_library_to_the_page():
    html = interactive.chart(interactive.recoil_spectrum(fake_result()), "spectrum")

    assert 'id="spectrum"' in html
    assert "<script src" not in html
    assert len(html) < 200_000


@pytest.mark.parametrize(
    ("mathtext", "html"),
    [
        pytest.param(r"$g'$", "g′", id="prime"),
        pytest.param(
            r"$e^+e^-\to\mu^+\mu^-$",
            "e<sup>+</sup>e<sup>−</sup>→μ<sup>+</sup>μ<sup>−</sup>",
            id="reaction",
        ),
        pytest.param("a < b & c", "a &lt; b &amp; c", id="escaped"),
        pytest.param("p < 0.5 GeV", "p &lt; 0.5 GeV", id="no mathematics"),
    ],
)
def test_mathtext_becomes_html(mathtext, html):
    assert labels.to_html(mathtext) == html


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0103, "10.3 pb"), (62.8, "62.8 fb"), (50e3, "50 ab")],
)
def test_luminosities_read_well(value, text):
    assert labels.luminosity(value) == text + "$^{-1}$"


def test_reading_limits_back_loads_no_plotting_library():
    code = (
        "import sys, darksector.report.summary, darksector.report.writer;"
        "sys.exit(bool({'matplotlib', 'plotly'} & set(sys.modules)))"
    )

    subprocess.run([sys.executable, "-c", code], check=True)
