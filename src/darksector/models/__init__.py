"""Hypotheses: parameters in, partial widths, branching fractions and lifetimes out."""
