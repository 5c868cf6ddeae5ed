from __future__ import annotations

import jax.numpy as jnp
import numpy as np
import pytest
from numpy.testing import assert_allclose

from darksector.kinematics import (
    Momentum,
    boost,
    breakup_velocity,
    cos_angle,
    dot,
    modulus,
    momentum,
    momentum_transfer,
    polar,
    recoil_mass2,
    rotate_z_to,
    select,
    squared,
    to_rest_frame,
    total,
    transverse,
)


def vectors(*rows):
    return momentum(jnp.asarray(rows, dtype=float))


def test_product_has_the_signature_of_time_positive():
    a, b = vectors([5, 1, 2, 3]), vectors([7, 1, 1, 1])

    assert dot(a, b).item() == 5 * 7 - 1 - 2 - 3
    assert squared(a).item() == 25 - 14


def test_lengths_and_angles():
    p = vectors([10, 3, 4, 0], [10, 0, 0, -2], [10, 0, 3, 3])

    assert_allclose(modulus(p), [5, 2, np.sqrt(18)])
    assert_allclose(transverse(p), [5, 0, 3])
    assert_allclose(polar(p), [np.pi / 2, np.pi, np.pi / 4])


def test_array_and_momentum_are_the_same():
    rows = np.arange(12.0).reshape(3, 4)

    assert_allclose(momentum(jnp.asarray(rows)).array(), rows)


def test_sums_and_multiples():
    a, b = vectors([1, 2, 3, 4]), vectors([4, 3, 2, 1])

    assert_allclose(total((a, b, a)).array(), [[6, 7, 8, 9]])
    assert_allclose((a - b).array(), [[-3, -1, 1, 3]])
    assert_allclose(a.scaled(2.0).array(), [[2, 4, 6, 8]])


def test_cosine_with_a_vanishing_vector_is_one():
    """No direction, no angle: the convention keeps isolation cuts free of NaN."""
    a, b = vectors([5, 0, 0, 3], [0, 0, 0, 0]), vectors([5, 0, 0, -3], [5, 1, 0, 0])

    assert_allclose(cos_angle(a, b), [-1, 1])


def test_boost_of_a_particle_at_rest_is_the_frame():
    frame = vectors([5, 1, -2, 3])
    rest = vectors([np.sqrt(11), 0, 0, 0])

    assert_allclose(boost(rest, frame).array(), frame.array(), rtol=1e-14)
    assert_allclose(to_rest_frame(frame, frame).array(), rest.array(), atol=1e-14)


def test_rotation_takes_z_to_the_axis():
    axis = vectors([0, 1, -2, 2], [0, 0, 0, 5], [0, 3, 0, -4])
    z = vectors(*3 * [[1, 0, 0, 1]])

    expected = np.array([[1, -2, 2], [0, 0, 3], [9 / 5, 0, -12 / 5]]) / 3
    assert_allclose(rotate_z_to(z, axis).array()[:, 1:], expected, atol=1e-15)


def test_recoil_mass_stays_negative():
    """Resolution puts light recoils below zero; clipping would bias the fit."""
    beams, visible = jnp.array([[10.0, 0, 0, 0]]), jnp.array([[9.0, 0, 0, 2.0]])

    assert recoil_mass2(beams, visible).item() == pytest.approx(-3)


@pytest.mark.parametrize(
    ("s", "expected"),
    [
        pytest.param(100.0, np.sqrt(1 - 4 / 100), id="equal masses: velocity"),
        pytest.param(3.9, 0.0, id="below threshold"),
        pytest.param(4.0, 0.0, id="at threshold"),
        pytest.param(-1.0, 0.0, id="spacelike"),
    ],
)
def test_breakup_velocity_of_unit_masses(s, expected):
    assert breakup_velocity(jnp.array(s), 1.0, 1.0).item() == pytest.approx(expected)


def test_select():
    a, b = vectors([1, 1, 1, 1], [1, 1, 1, 1]), vectors([2, 2, 2, 2], [2, 2, 2, 2])

    chosen = select(jnp.array([True, False]), a, b)

    assert_allclose(chosen.e, [1, 2])


def test_momentum_transfer_forward_is_the_minimum():
    """t_min = m² (E-E')²/(E E'), to first order in m², for no angle at all."""
    m = 0.511e-3
    p = Momentum(*jnp.asarray([5.29, 0, 0, np.sqrt(5.29**2 - m**2)]))
    q = Momentum(*jnp.asarray([4.0, 0, 0, np.sqrt(4.0**2 - m**2)]))

    expected = m**2 * 1.29**2 / (5.29 * 4.0)
    assert momentum_transfer(p, q, m).item() == pytest.approx(expected, rel=1e-6)
