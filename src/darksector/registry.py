"""Folders are registries: a plugin is one file, its name is the file's name.

Plugins from other distributions register under the entry-point group
``darksector.<kind>`` (for instance ``darksector.searches``).
"""

from __future__ import annotations

import importlib
import pkgutil
from dataclasses import dataclass
from importlib.metadata import entry_points
from typing import Any, Generic, TypeVar

from darksector.errors import InvalidCard, UnknownName

T = TypeVar("T")


@dataclass(frozen=True)
class Registry(Generic[T]):
    """The plugins of one kind: modules of `package` that define `attribute`.

    Parameters
    ----------
    package
        Package whose modules are the plugins, for instance ``darksector.searches``.
    attribute
        The name that every plugin must define, for instance ``SEARCH``.
    base
        Where the type of the plugins lives, as ``module:Class``; imported on first use
        so that listing names stays cheap.
    """

    package: str
    attribute: str
    base: str

    @property
    def kind(self) -> str:
        """The word for one plugin in messages."""
        return self.attribute.lower()

    def names(self) -> tuple[str, ...]:
        """Return the plugin names, sorted, without importing any plugin."""
        path = importlib.import_module(self.package).__path__
        stems = {info.name for info in pkgutil.iter_modules(path)}
        own = {s for s in stems if s not in {"base", "pipeline"} and s[0] != "_"}
        return tuple(sorted(own | set(self._outside())))

    def load(self, name: str) -> T:
        """Import one plugin and return what it declares.

        Raises
        ------
        UnknownName
            If no plugin has this name.
        InvalidCard
            If the plugin does not define the attribute with the right type.
        """
        if name not in self.names():
            raise UnknownName(self.kind, name, self.names())
        target = self._outside().get(name, f"{self.package}.{name}").split(":")[0]
        module = importlib.import_module(target)
        plugin = getattr(module, self.attribute, None)
        if not self._fits(plugin):
            msg = (
                f"{module.__name__} must define {self.attribute} as a "
                f"{self.base.split(':')[1]}, found {type(plugin).__name__}."
            )
            raise InvalidCard(msg)
        return plugin  # type: ignore[return-value]  # _fits has checked it

    def _outside(self) -> dict[str, str]:
        return {point.name: point.value for point in entry_points(group=self.package)}

    def _fits(self, plugin: Any) -> bool:
        module, name = self.base.split(":")
        kind = getattr(importlib.import_module(module), name)
        return isinstance(plugin, kind) or (
            isinstance(plugin, type) and issubclass(plugin, kind)
        )


SEARCHES: Registry[Any] = Registry(
    "darksector.searches", "SEARCH", "darksector.searches.base:Search"
)
MODELS: Registry[Any] = Registry(
    "darksector.models", "MODEL", "darksector.models.base:Model"
)
PROCESSES: Registry[Any] = Registry(
    "darksector.processes", "PROCESS", "darksector.processes.base:Process"
)
