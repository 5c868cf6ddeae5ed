"""Rediscoveries: known peaks as the detector cards see them, simulated and fitted."""
