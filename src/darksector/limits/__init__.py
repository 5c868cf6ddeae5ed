"""Published limits of other experiments, with their provenance."""
