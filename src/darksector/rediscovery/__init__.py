"""Rediscoveries: known peaks as the detector cards see them, simulated and fitted."""

from __future__ import annotations

NAME = "rediscovery"  # of the run, as `darksector run` knows it
