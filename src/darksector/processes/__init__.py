"""e+e- -> final state: squared amplitudes with the phase space that fits them."""
