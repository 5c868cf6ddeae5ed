"""The schedule of the luminosity: history as read, plans as assumed."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pytest

from darksector.cardfile import SCHEDULES
from darksector.errors import InvalidCard, OutOfDomain
from darksector.schedule import Plan, from_toml, load

PLAN = Plan(
    title="test",
    start=date(2030, 1, 1),
    reached=date(2031, 1, 1),
    total=100.0,
    first=1e35,
    target=3e35,
    running=0.5,
    average=0.8,
)


def test_integrated_luminosity_is_the_sum_of_all_days():
    """A slow twin: the peak of each of 1000 days."""
    days = np.arange(20_000) / 20
    peak = np.where(days < 365, 1e35 + 2e35 * days / 365, 3e35)
    summed = 100 + (peak * 0.5 * 0.8 * 86400 / 20 * 1e-39).sum()

    (found,) = PLAN.integrated(np.array([1000.0]))

    assert found == pytest.approx(summed, rel=1e-4)


@pytest.mark.parametrize(
    "plan",
    [
        pytest.param(PLAN, id="ramp"),
        pytest.param(replace(PLAN, first=3e35), id="constant"),
    ],
)
@pytest.mark.parametrize("days", [30.0, 365.0, 900.0])
def test_days_until_a_total_invert_the_course(plan, days):
    (total,) = plan.integrated(np.array([days]))

    assert plan.days_until(float(total)) == pytest.approx(days, rel=1e-9)


def test_history_of_superkekb():
    """detector/luminosity_history.csv: 424 fb-1 in Run 1, records of 2020 and 2022."""
    history = load("superkekb")

    assert [record.title for record in history.phases] == [
        *("Phase 1", "Phase 2", "Phase 3")
    ]
    assert {r.end: r.value for r in history.totals}[date(2022, 6, 22)] == 424
    peaks = {r.end: r.value for r in history.peaks}
    assert peaks[date(2020, 6, 21)] == 2.40e34
    assert peaks[date(2022, 6, 22)] == 4.71e34
    assert history.goal == 50_000


def test_totals_and_peaks_grow():
    history = load("superkekb")

    for records in (history.totals, history.peaks):
        values = [record.value for record in records]
        assert values == sorted(values)


def test_plans_reach_the_goal_after_their_ramp():
    for plan in load("superkekb").plans:
        day = plan.start + timedelta(days=plan.days_until(50_000.0))
        assert plan.reached < day < date(2040, 1, 1)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"reached": date(2029, 1, 1)}, "before its start"),
        ({"running": 0.0}, "shares of a year"),
        ({"average": 1.5}, "shares of a year"),
        ({"target": 0.0}, "the target above"),
    ],
)
def test_impossible_plan(change, message):
    with pytest.raises(OutOfDomain, match=message):
        replace(PLAN, **change)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        pytest.param(
            "reached = 2025-01-01",
            "until = 2025-01-01",
            r"line \d+, \[plans.of_2019\] has the unknown key 'until'",
            id="unknown key",
        ),
        pytest.param(
            "reached = 2025-01-01", "reached = 2025", "must be a date", id="no date"
        ),
        pytest.param(
            "[plans.of_2019.running]\nvalue = 0.67",
            "[plans.of_2019.running]\nvalue = [0.5, 0.6]",
            r"running\] must be one number, got \[0.5, 0.6\]",
            id="several numbers",
        ),
        pytest.param(
            "[goals.design]", "[goals.best]", r"\[goals\] has the unknown", id="goal"
        ),
    ],
)
def test_bad_schedule(old, new, message):
    text = SCHEDULES.text("superkekb")

    with pytest.raises(InvalidCard, match=message):
        from_toml(text.replace(old, new), origin="mine")
