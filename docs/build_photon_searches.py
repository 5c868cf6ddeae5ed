"""Writes docs/photon_searches.md: a run of the search, its signals, and the ALP's map."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import photon_signals
from photon_signals import COUPLING, EPSILON, MASSES

import darksector as ds
from darksector.detectors.card import load as load_detector
from darksector.fate_command import fate
from darksector.io.files import atomic_write
from darksector.plotting import labels
from darksector.results import RegionYield, SearchResult
from darksector.searches.base import Execution, Search
from darksector.sensitivity_command import sensitivity

HERE = Path(__file__).parent
FIGURES = HERE / "figures"
BUILD = HERE / "_build" / "photon_searches"
SHOWN = ("0.01", "1", "3", "5", "7", "9", "9.5")  # GeV, of the table
PICTURES = (
    "efficiency_and_resolution",
    "energy_angle_plane",
    "ecl_inefficiency",
    "photon_recoil_mass2_spectrum",
    "limit_epsilon",
)


OTHERS = {
    "alp_3gamma": (
        "diphoton_mass2_low_spectrum",
        "efficiency_and_resolution",
        "limit_g_agg",
    ),
    "alp_invisible": ("limit_g_agg",),
}


def run(search: Search, pictures: Sequence[str]) -> SearchResult:
    """Run the search with its defaults; copy some figures of its folder."""
    result = search.run(
        luminosity=search.dataset,
        masses=search.mass_grid,
        seed=1,
        execution=Execution(checkpoint=BUILD / "chunks"),
    )
    folder = BUILD / search.name
    shutil.rmtree(folder, ignore_errors=True)
    result.save(folder)
    for stem in pictures:
        picture = (folder / f"{stem}.png").read_bytes()
        atomic_write(FIGURES / f"{search.name}_{stem}.png", picture)
    return result


def table(heading: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table in Markdown."""
    lines = [heading, ["---"] * len(heading), *rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)


def number(value: float) -> str:
    """Return a number with three digits, large ones in full."""
    if value < 1000:
        return f"{value:.3g}"
    return f"{float(f'{value:.3g}'):,.0f}".replace(",", "\N{NO-BREAK SPACE}")


def limits(result: SearchResult) -> str:
    """Return windows and limits at some masses."""
    windows, bands = result.windows, result.limits.expected
    further = [name for name in labels.couplings(result) if name != "epsilon"]
    heading = ["mass [GeV]", "region", "efficiency", "background", "limit on ε"]
    heading += [result.labels.quantities[n].split(", ", 1)[1] for n in further]
    rows = []
    for i in (list(windows.mass).index(float(mass)) for mass in SHOWN):
        values = [bands[name][i] for name in ("epsilon", *further)]
        rows.append(
            [
                f"{windows.mass[i]:g}",
                str(windows.choices["region"][i]) if windows.efficiency[i] else "–",
                f"{100 * windows.efficiency[i]:.2g} %",
                number(windows.total_background()[i]),
                *("–" if np.ma.is_masked(v) else f"{v:.2g}" for v in values),
            ]
        )
    return table(heading, rows)


def regions(result: SearchResult) -> str:
    """Return what each background leaves in each region."""
    names = list(dict.fromkeys(row.region for row in result.regions))
    yields = {(row.region, row.component): row for row in result.regions}
    rows = [
        [
            result.labels.components[part],
            *(cell(yields[name, part]) for name in names),
        ]
        for part in dict.fromkeys(row.component for row in result.regions)
    ]
    rows.append(["all", *(number(total(result, name)) for name in names)])
    return table(["background", *names], rows)


def cell(row: RegionYield) -> str:
    """Return a yield with its error; a dash where no simulated event is left."""
    if row.events == 0:
        return "–"
    if row.events < 1e-3:
        return "< 0.001"
    digits = 0 if row.error >= 10 else 1 if row.error >= 0.1 else 2
    return f"{number(row.events)} ± {row.error:.{digits}f}"


def total(result: SearchResult, region: str) -> float:
    """Return the expected background of a region, events."""
    return sum(row.events for row in result.regions if row.region == region)


def uncertainties(search: Search, result: SearchResult) -> str:
    """Return the declared uncertainty of each background with its source."""
    return table(
        ["background", "uncertainty", "source"],
        [
            [
                result.labels.components.get(name, name),
                f"{100 * declared.size:.3g} %",
                declared.source,
            ]
            for name, declared in search.uncertainties().items()
        ],
    )


def visible() -> float:
    """Return the largest fraction of the decays of the A' that is seen."""
    models = (
        ds.model("dark_photon", mass=float(m), epsilon=EPSILON, dark_matter="dirac")
        for m in MASSES
    )
    return max(1 - model.invisible_fraction() for model in models)


def main() -> None:
    """Write the page and its figures beside this file."""
    search = ds.search("dark_photon_invisible")
    result = run(search, PICTURES)
    for name, pictures in OTHERS.items():
        run(ds.search(name), pictures)
    sensitivity.main(
        [search.name, "--masses", "0.1,3,6,8", "--output", str(BUILD / "slopes")],
        standalone_mode=False,
    )
    slopes = (BUILD / "slopes" / "sensitivity.png").read_bytes()
    atomic_write(FIGURES / "sensitivity.png", slopes)
    sigmas = photon_signals.cross_sections(FIGURES)
    dark = photon_signals.missing_mass(FIGURES)
    fate.main(
        ["alp", "--mass", "1", "--coupling", f"{COUPLING}", "--plot", str(FIGURES)],
        standalone_mode=False,
    )
    for path in FIGURES.glob("*.pdf"):
        path.unlink()
    card = load_detector(search.detector)
    at_one = list(MASSES).index(1.0)
    marks = {
        "LUMINOSITY": search.dataset.replace("/fb", " fb⁻¹"),
        "LEAKAGE": f"{float(card.calorimeter.crack_leakage):g}",
        "KLM": f"{float(card.klm.photon_inefficiency):g}",
        "COSMICS": f"{float(card.cosmics.single_photon_rate):g}",
        "VISIBLE": f"{visible():.1g}",
        "EPSILON": f"{EPSILON:g}",
        "LOW": number(total(result, "low mass")),
        "HIGH": number(total(result, "high mass")),
        "LIMITS": limits(result),
        "REGIONS": regions(result),
        "UNCERTAINTIES": uncertainties(search, result),
        "APRIME": number(sigmas["gamma_aprime"][at_one]),
        "ALP": number(sigmas["gamma_alp"][at_one]),
        "FUSION": number(sigmas["fusion_alp"][at_one]),
        "DARK": table(
            ["A'", "width [GeV]", "cross-section [fb]"],
            [[name, f"{width:.3g}", f"{fb:.3g}"] for name, width, fb in dark],
        ),
    }
    page = (HERE / "photon_searches.md.in").read_text(encoding="utf-8")
    for mark, text in marks.items():
        page = page.replace(f"@{mark}@", text)
    (HERE / "photon_searches.md").write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main()
