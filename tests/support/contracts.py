"""An import contract that says what a package may import, where import-linter's own kinds say what it may not."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

from grimp import ImportGraph
from importlinter import Contract, ContractCheck, fields, output


def within(module: str, packages: set[str]) -> bool:
    """Whether a module is one of these packages, or inside one."""
    return any(module == package or module.startswith(f"{package}.") for package in packages)


def _names(option: Any) -> set[str]:
    """What an option lists; import-linter puts the value where the class has the field."""
    return set(option or ())


class OnlyContract(Contract):
    """A package, and what it imports of ours in turn, imports nothing but the allowed packages and Python's own library.

    Configuration:
        package: The package, or module.
        allowed: Packages that it may import. What these import is checked, too.
        as_far_as: Of `allowed`, those whose own imports are their own affair. (Optional.)
    """

    type_name = "only"

    package = fields.StringField()
    allowed = fields.SetField(subfield=fields.StringField(), required=False)
    as_far_as = fields.SetField(subfield=fields.StringField(), required=False)

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:
        """Go from import to import, and stop at what is not allowed."""
        output.verbose_print(verbose, f"What {self.package} imports...")
        if str(self.package) not in graph.modules:
            raise ValueError(f"{self.package} is no module of the root packages; expected one that is there")
        strangers = sorted(set(self._strangers(graph)))
        return ContractCheck(kept=not strangers, metadata={"strangers": strangers})

    def _strangers(self, graph: ImportGraph) -> Iterator[tuple[str, str]]:
        ours, ends = {str(self.package)}, _names(self.as_far_as)
        allowed = ours | ends | _names(self.allowed)
        waiting = [one for one in graph.modules if within(one, ours)]
        seen = set(waiting)
        while waiting:
            importer = waiting.pop()
            for imported in graph.find_modules_directly_imported_by(importer):
                if imported.partition(".")[0] in sys.stdlib_module_names:
                    continue
                if not within(imported, allowed):
                    yield importer, imported
                elif imported not in seen and not within(imported, ends):
                    seen.add(imported)
                    waiting.append(imported)

    def render_broken_contract(self, check: ContractCheck) -> None:
        """Each import that is not allowed, by its importer."""
        for importer, imported in check.metadata["strangers"]:
            output.print_error(f"{importer} imports {imported}; {self.package} may not")
