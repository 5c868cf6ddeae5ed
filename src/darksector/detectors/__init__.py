"""An experiment in one run period: geometry, response, efficiency, trigger."""
