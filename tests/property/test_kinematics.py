"""What boosts, rotations and recoils obey for every momentum."""

from __future__ import annotations

from decimal import Decimal, localcontext

import jax.numpy as jnp
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from darksector.kinematics import (
    Momentum,
    boost,
    dot,
    modulus,
    momentum,
    momentum_transfer,
    polar,
    recoil_mass2,
    rotate_z_to,
    squared,
    to_rest_frame,
)

settings.register_profile("kinematics", deadline=None, max_examples=40)
kinematics = settings.get_profile("kinematics")

component = st.floats(-5, 5)
mass = st.floats(1e-3, 5)
three = st.tuples(component, component, component)


def on_shell(m, p):
    return momentum(jnp.array([[np.sqrt(m**2 + sum(c**2 for c in p)), *p]]))


@kinematics
@given(m=mass, p=three, frame_mass=st.floats(0.1, 10), frame=three)
def test_rest_frame_undoes_the_boost(m, p, frame_mass, frame):
    start, moving = on_shell(m, p), on_shell(frame_mass, frame)

    back = to_rest_frame(boost(start, moving), moving)

    gamma2 = (moving.e.item() / frame_mass) ** 2
    atol = 1e-14 * gamma2 * start.e.item()
    assert_allclose(back.array(), start.array(), rtol=1e-9, atol=atol)


@kinematics
@given(a=three, b=three, m=mass, frame_mass=st.floats(0.5, 10), frame=three)
def test_products_are_the_same_in_every_frame(a, b, m, frame_mass, frame):
    a, b, moving = on_shell(m, a), on_shell(m, b), on_shell(frame_mass, frame)

    there = dot(boost(a, moving), boost(b, moving))

    gamma2 = (moving.e.item() / frame_mass) ** 2
    atol = 1e-13 * gamma2 * a.e.item() * b.e.item()
    assert_allclose(there, dot(a, b), atol=atol)


@kinematics
@given(p=three, axis=st.tuples(component, component, st.floats(-4, 5)))
def test_rotation_keeps_lengths_and_angles(p, axis):
    p, axis = on_shell(1.0, p), momentum(jnp.array([[0.0, *axis]]) + 1e-3)
    z = momentum(jnp.array([[0.0, 0.0, 0.0, 1.0]]))

    turned = rotate_z_to(p, axis)

    along = dot(turned, axis) / modulus(axis)
    atol = 1e-12 / (1 + np.cos(polar(axis).item()))
    assert_allclose(modulus(turned), modulus(p), atol=atol)
    assert_allclose(along - turned.e * axis.e / modulus(axis), dot(p, z), atol=atol)


@kinematics
@given(p=three, rapidity=st.floats(-1, 1))
def test_recoil_mass_does_not_depend_on_the_frame(p, rapidity):
    beams, visible = np.array([[11.0, 0.4, 0.0, 3.0]]), np.array([[8.0, *p]])
    c, s = np.cosh(rapidity), np.sinh(rapidity)
    to_frame = np.array([[c, 0, 0, s], [0, 1, 0, 0], [0, 0, 1, 0], [s, 0, 0, c]])

    moving = recoil_mass2(
        jnp.asarray(beams @ to_frame), jnp.asarray(visible @ to_frame)
    )

    there = recoil_mass2(jnp.asarray(beams), jnp.asarray(visible))
    assert_allclose(moving, there, atol=1e-11)


@kinematics
@given(
    log_angle=st.floats(-12, -0.01),
    phi=st.floats(0, 6.28),
    loss=st.floats(1e-3, 5.0),
    p_in=st.floats(5.1, 6.0),
)
def test_momentum_transfer_keeps_its_digits(log_angle, phi, loss, p_in):
    """Against 50 digits; the naive form has none left below an angle of 1e-8."""
    m, theta, p_out = 0.51099895e-3, 10**log_angle, p_in - loss
    before = (0.0, 0.0, p_in)
    sine = np.sin(theta)
    after = (
        p_out * sine * np.cos(phi),
        p_out * sine * np.sin(phi),
        p_out * np.cos(theta),
    )

    ours = momentum_transfer(single(before, m), single(after, m), m).item()

    with localcontext(prec=50):
        exact = float(exact_transfer(before, after, m))
    assert_allclose(ours, exact, rtol=1e-10)
    assert ours > 0


def single(p, m):
    return Momentum(*jnp.array([np.sqrt(m**2 + sum(c**2 for c in p)), *p]))


def exact_transfer(before, after, m):
    p, q = ([Decimal(float(c)) for c in v] for v in (before, after))
    m2 = Decimal(m) ** 2
    e, f = ((m2 + sum(c * c for c in v)).sqrt() for v in (p, q))
    return 2 * (e * f - sum(a * b for a, b in zip(p, q, strict=True)) - m2)


@kinematics
@given(p=three, m=mass)
def test_mass_shell(p, m):
    particle = on_shell(m, p)

    assert_allclose(squared(particle), m**2, atol=1e-13 * particle.e.item() ** 2)
