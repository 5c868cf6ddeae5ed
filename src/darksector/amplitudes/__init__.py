"""Squared amplitudes from Feynman rules: spinors, currents, fermion lines, radiators."""
