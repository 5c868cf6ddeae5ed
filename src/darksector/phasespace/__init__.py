"""Importance maps from the unit hypercube to phase space."""
