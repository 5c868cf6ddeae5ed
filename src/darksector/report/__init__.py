"""The output folder of a run: tables, figures and an HTML report."""
