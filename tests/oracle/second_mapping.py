"""Plain Monte Carlo in energies and angles, in NumPy: a second way to every integral.

Shares nothing with `darksector.phasespace` or the channels: no tree of splittings, no
adaptation, no mixture of densities; only |M|² is the package's.  Where an integrand has
two peaks that exclude each other, the region is cut in two and each half is drawn in its
own variables.  Unit: GeV for momenta, fb for cross-sections.
"""

from __future__ import annotations

from dataclasses import dataclass

import jax.numpy as jnp
import numpy as np

M_E, M_MU = 0.51099895e-3, 0.1056583755
GEV2_FB = 0.3893793721e12
SQRT_S = 10.58
BEAM = SQRT_S / 2
P_BEAM = np.sqrt(BEAM**2 - M_E**2)
BLOCK = 8192  # points of one call of |M|²: one compilation


@dataclass(frozen=True)
class Drawn:
    """Values of a variable and one over their density."""

    value: np.ndarray
    width: np.ndarray


def logarithmic(u, low, high):
    """Return values with density ∝ 1/x."""
    span = np.log(high / low)
    value = low * np.exp(u * span)
    return Drawn(value, value * span)


def along_beam(u, softest, most):
    """Return y = 1 - cosθ with density ∝ 1/(softest + y) up to `most`."""
    shifted = logarithmic(u, softest, most + softest)
    return Drawn(shifted.value - softest, shifted.width)


def along_both(u, softest, least=0.0):
    """Return signed cosines and 1 - |cosθ| > least, density ∝ 1/(softest + 1 - |cosθ|)."""
    forward = u < 0.5
    shifted = logarithmic(2 * u % 1.0, softest + least, 1 + softest)
    return np.where(forward, 1.0, -1.0), Drawn(
        shifted.value - softest, 2 * shifted.width
    )


def direction(y, phi, sign):
    """Return unit vectors, y = 1 - cosθ to +z (sign 1) or -z (sign -1)."""
    sine = np.sqrt(y * (2 - y))
    return np.stack([sine * np.cos(phi), sine * np.sin(phi), sign * (1 - y)], axis=-1)


def on_shell(vector, mass):
    energy = np.sqrt(mass**2 + (vector**2).sum(axis=-1))
    return np.concatenate([energy[..., None], vector], axis=-1)


def mass2(p):
    return p[..., 0] ** 2 - (p[..., 1:] ** 2).sum(axis=-1)


def versine(p):
    """Return 1 - |cosθ| of momenta, without cancellation."""
    size = np.linalg.norm(p[:, 1:], axis=1)
    return (p[:, 1] ** 2 + p[:, 2] ** 2) / (size * (size + abs(p[:, 3])))


def solved(rest, unit, mass):
    r"""Return a particle of a given direction that leaves one more of the same mass.

    :math:`(Q-p)^2 = m^2` fixes \|p\|; the width is that of :math:`d^3p/((2π)^3 2E)
    2π δ((Q-p)^2 - m^2)` over dΩ.  Valid where one solution is positive, Q² > 2mQ⁰.
    """
    q2, energy = mass2(rest), rest[:, 0]
    along = (rest[:, 1:] * unit).sum(axis=1)
    gap = energy**2 - along**2
    root = np.sqrt(np.maximum(q2**2 - 4 * mass**2 * gap, 0.0))
    size = (q2 * along + energy * root) / (2 * gap)
    p = on_shell(size[:, None] * unit, mass)
    slope = 2 * abs(energy * size / p[:, 0] - along)
    good = (q2 > 2 * mass * energy) & (size > 0) & (p[:, 0] < energy)
    width = size**2 / ((2 * np.pi) ** 2 * 2 * p[:, 0] * np.where(good, slope, 1.0))
    return p, np.where(good, width, 0.0)


def msq(process, final):
    """Return |M|² of final momenta ``(n, k, 4)`` behind beams along ±z."""
    n = len(final)
    beams = np.array([[BEAM, 0, 0, P_BEAM], [BEAM, 0, 0, -P_BEAM]])
    points = np.concatenate([np.broadcast_to(beams, (n, 2, 4)), final], axis=1)
    padded = np.concatenate([points, np.repeat(points[-1:], -n % BLOCK, axis=0)])
    values = [
        np.asarray(process.msq(jnp.asarray(padded[i : i + BLOCK])))
        for i in range(0, n, BLOCK)
    ]
    return np.concatenate(values)[:n]


@dataclass(frozen=True)
class Estimate:
    """A cross-section and its error, fb."""

    value: float
    error: float

    def __add__(self, other):
        return Estimate(self.value + other.value, np.hypot(self.error, other.error))

    def pull(self, other):
        """Return the difference to something with value_fb and error_fb, in errors."""
        error = np.hypot(self.error, other.error_fb)
        return abs(self.value - other.value_fb) / error


def integral(process, final, width, inside):
    r"""Return the mean of \|M\|² width / 2s over all points, those inside counting."""
    weight = np.zeros(len(width))
    chosen = np.flatnonzero(inside & (width > 0))
    values = msq(process, final[chosen]) * width[chosen]
    weight[chosen] = values * GEV2_FB / (2 * SQRT_S**2)
    return Estimate(weight.mean(), weight.std() / np.sqrt(len(weight)))


def whole(n):
    rest = np.zeros((n, 4))
    rest[:, 0] = SQRT_S
    return rest


def photon_first(u, low, *, softest, least):
    """Return a photon off either beam, logarithmic in its energy and angle."""
    energy = logarithmic(u[:, 0], low, BEAM)
    sign, angle = along_both(u[:, 1], softest, least)
    unit = direction(angle.value, 2 * np.pi * u[:, 2], sign)
    width = energy.value * energy.width * angle.width * 2 * np.pi
    return on_shell(energy.value[:, None] * unit, 0.0), width / (2 * (2 * np.pi) ** 3)


def lost_leptons(process, n, seed, inside, *, photon_min, sine_max):
    """Return σ(e+e- -> e+e- γ), both leptons within asin(sine_max) of their own beams.

    The lepton that turned less is drawn, logarithmically in its angle; the other follows.
    """
    total = Estimate(0.0, 0.0)
    for k, sign in enumerate((1.0, -1.0)):
        u = np.random.default_rng([seed, k]).random((n, 5))
        gamma, width = photon_first(u, photon_min, softest=1e-8, least=5e-3)
        rest = whole(n) - gamma
        angle = along_beam(u[:, 3], 1e-10, 1 - np.sqrt(1 - sine_max**2))
        unit = direction(angle.value, 2 * np.pi * u[:, 4], sign)
        drawn, solution = solved(rest, unit, M_E)
        other = rest - drawn
        width = width * solution * angle.width * 2 * np.pi
        mine = (angle.value < versine(other)) & (other[:, 3] * sign < 0)
        pair = (drawn, other) if sign > 0 else (other, drawn)
        final = np.stack([*pair, gamma], axis=1)
        total = total + integral(process, final, width, mine & inside(final))
    return total


def three_photons(process, n, seed, inside, *, photon_min):
    """Return σ(e+e- -> 3γ): the softest photon, and the direction of one harder one.

    The latter is the nearer one to a beam; the order of the three makes up for 1/3!.
    """
    u = np.random.default_rng(seed).random((n, 5))
    softest = M_E**2 / (2 * BEAM**2)
    first, width = photon_first(u, photon_min, softest=softest, least=0.0)
    sign, drawn = along_both(u[:, 3], softest)
    unit = direction(drawn.value, 2 * np.pi * u[:, 4], sign)
    rest = whole(n) - first
    near, solution = solved(rest, unit, 0.0)
    far = rest - near
    width = width * solution * drawn.width * 2 * np.pi
    final = np.stack([first, near, far], axis=1)
    ordered = (first[:, 0] < near[:, 0]) & (first[:, 0] < far[:, 0])
    ordered &= drawn.value < versine(far)
    return integral(process, final, width, ordered & inside(final))


def scattered(u, loss, sign):
    """Return an electron that lost energy, logarithmic in Q² from its exact minimum."""
    left = BEAM - loss
    p = np.sqrt(left**2 - M_E**2)
    low = 2 * M_E**2 * loss**2 / (P_BEAM * p + BEAM * left - M_E**2)
    q2 = logarithmic(u[:, 0], low, low + 4 * P_BEAM * p)
    unit = direction((q2.value - low) / (2 * P_BEAM * p), 2 * np.pi * u[:, 1], sign)
    # d³p/((2π)³ 2E) = p dE dcosθ dφ / (2 (2π)³), dcosθ = dQ²/(2 p p')
    width = p / (2 * (2 * np.pi) ** 2) * q2.width / (2 * P_BEAM * p)
    return on_shell(p[:, None] * unit, M_E), width


def moved(p, frame, direction_of_boost):
    """Return p boosted with the velocity of `frame` (+1) or against it (-1)."""
    mass = np.sqrt(mass2(frame))
    space = direction_of_boost * frame[:, 1:]
    along = (p[:, 1:] * space).sum(axis=1)
    energy = (p[:, 0] * frame[:, 0] + along) / mass
    factor = (p[:, 0] + energy) / (mass + frame[:, 0])
    return np.concatenate([energy[:, None], p[:, 1:] + factor[:, None] * space], axis=1)


def decayed(u, pair, along, mass):
    """Return two particles of a pair that peak along a momentum, as dcosθ/(1-β²cos²θ)."""
    m2 = mass2(pair)
    beta = np.sqrt(1 - 4 * mass**2 / m2)
    rapidity = np.arctanh(beta) * (2 * u[:, 0] - 1)
    cosine = np.tanh(rapidity) / beta
    width = 2 * np.arctanh(beta) * (1 - np.tanh(rapidity) ** 2) / beta
    axis = moved(along, pair, -1)[:, 1:]
    axis /= np.linalg.norm(axis, axis=1)[:, None]
    across = np.cross(axis, [0.6, 0.8, 0.0])
    across /= np.linalg.norm(across, axis=1)[:, None]
    phi, sine = 2 * np.pi * u[:, 1], np.sqrt(1 - cosine**2)
    unit = cosine[:, None] * axis + sine[:, None] * (
        np.cos(phi)[:, None] * across + np.sin(phi)[:, None] * np.cross(axis, across)
    )
    p = on_shell(np.sqrt(m2 / 4 - mass**2)[:, None] * unit, mass)
    minus = moved(p, pair, +1)
    return minus, pair - minus, beta / (8 * np.pi) * width / 2


def all_of(final):
    return np.ones(len(final), dtype=bool)


def two_photon_pair(process, n, seed, *, mass, pair_min, inside=all_of):
    """Return σ(e+e- -> e+e- l+l-) above a pair mass, from both scattered electrons."""
    u = np.random.default_rng(seed).random((n, 8))
    most = BEAM - M_E
    product = logarithmic(u[:, 0], pair_min**2 / 4, most**2)  # of both energy losses
    reach = np.log(most / np.sqrt(product.value))
    ratio = np.exp(reach * (2 * u[:, 1] - 1))
    losses = np.sqrt(product.value) * ratio, np.sqrt(product.value) / ratio
    electron, width_e = scattered(u[:, 2:4], losses[0], 1.0)
    positron, width_p = scattered(u[:, 4:6], losses[1], -1.0)
    pair = whole(n) - electron - positron
    good = (mass2(pair) > pair_min**2) & (pair[:, 0] > 0)
    pair = np.where(good[:, None], pair, whole(n))
    beam = np.broadcast_to([BEAM, 0, 0, P_BEAM], (n, 4))
    minus, plus, volume = decayed(u[:, 6:8], pair, beam - electron, mass)
    # dω dω' = d(ωω') dη with η = ln(ω/ω')/2
    width = product.width * 2 * reach * width_e * width_p * volume
    final = np.stack([electron, positron, minus, plus], axis=1)
    return integral(process, final, width, good & inside(final))
