"""From a spectrum to a limit; usable without any physics of this package."""
