"""From a Lagrangian to an upper limit: the invisible Z' in the data of 2018."""

from __future__ import annotations

import darksector as ds

model = ds.model("lmu_ltau", mass=1.0, gprime=1e-2)
process = ds.process("dimuon_zprime", model)
print(f"BR(Z' -> mu+ mu-) = {model.branching_fraction('mu+ mu-'):.3f}")
print(f"sigma(mu+ mu- Z') = {process.cross_section(ds.machine('superkekb'))}")

search = ds.search("zprime_invisible")
result = search.run(luminosity="276/pb", masses=[1, 3, 5], seed=1)
for mass, limit in zip(
    result.limits.mass, result.limits.expected["gprime"], strict=True
):
    print(f"{mass:g} GeV: expected g' < {limit:.3g} at 90 % credibility")
result.save("results/example")
