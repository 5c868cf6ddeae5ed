"""From a dark-sector Lagrangian to an exclusion plot at an e+e- B-factory."""
