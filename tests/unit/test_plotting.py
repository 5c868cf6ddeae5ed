"""Figures show what the result holds: gaps stay gaps, and the same run, the same bytes."""

from __future__ import annotations

import dataclasses
import subprocess
import sys

import numpy as np
import pytest
from fake_result import fake_result

from darksector.errors import OutputError
from darksector.limits import published
from darksector.limits.published import CouplingBand
from darksector.plotting import exclusion, interactive, labels, spectra, style, views

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

    for words in (labels.SIMULATION, "276 pb", "90 % CL", "SuperKEKB", "Belle II"):
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
