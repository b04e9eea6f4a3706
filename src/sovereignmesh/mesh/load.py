"""Loads a mesh: finds its files, reads every document, checks each alone and then all together."""

from __future__ import annotations

import os
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from pydantic import ValidationError

from sovereignmesh.errors import MeshError
from sovereignmesh.mesh.documents import Directory, Domain, GovernancePolicies
from sovereignmesh.mesh.mesh import Mesh
from sovereignmesh.mesh.products import DataProduct
from sovereignmesh.mesh.purview import PurviewAccountWish
from sovereignmesh.mesh.purview_references import check_purview
from sovereignmesh.mesh.references import Documents, Loaded, check_references
from sovereignmesh.mesh.words import did_you_mean, explain, found
from sovereignmesh.result.location import Location, Problem
from sovereignmesh.result.text import printable
from sovereignmesh.yamlfile import MAX_BYTES, json_path, parse_all

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sovereignmesh.yamlfile import Document
    from sovereignmesh.yamlfile import Path as Steps

__all__ = ["load_mesh", "load_products", "validate"]

_MODELS: Final[dict[str, type[GovernancePolicies | DataProduct | Domain | Directory | PurviewAccountWish]]] = {
    "governancePolicies": GovernancePolicies,
    "dataProduct": DataProduct,
    "domain": Domain,
    "directory": Directory,
    "purview": PurviewAccountWish,
}
_SUFFIXES: Final = (".yaml", ".yml")


def load_mesh(path: str | os.PathLike[str]) -> Mesh:
    """The mesh in the folder, or the one file, at `path`; raises `MeshError` with every problem that it has.

    Warnings do not stop it: `validate` lists them.
    """
    mesh, problems = _read(Path(path), _today())
    if mesh is None:
        raise MeshError([problem for problem in problems if problem.severity == "error"])
    return mesh


def load_products(path: str | os.PathLike[str]) -> tuple[GovernancePolicies | None, tuple[DataProduct, ...]]:
    """The policies and products in a file or folder that need not be a whole mesh: each document is checked alone.

    Raises MeshError with every problem that they have.
    """
    reader = _Reader()
    for file in reader.find(Path(path)):
        reader.read(file)
    if errors := sorted({problem for problem in reader.problems if problem.severity == "error"}):
        raise MeshError(errors)
    if len(reader.policies) > 1:
        message = f"a second governancePolicies; the first is at {reader.policies[0].locate()}: a mesh has one"
        raise MeshError([reader.policies[1].problem((), message)])
    policies = reader.policies[0].model if reader.policies else None
    return policies, tuple(product.model for product in reader.products)


def validate(path: str | os.PathLike[str], *, today: date | None = None) -> list[Problem]:
    """Everything wrong with the mesh at `path`, errors and warnings, sorted by file and line; empty: nothing is.

    `today` (default: the day in UTC, as in an audit) decides which waivers have expired.
    """
    return _read(Path(path), today or _today())[1]


def _today() -> date:
    return datetime.now(UTC).date()


def _read(root: Path, today: date) -> tuple[Mesh | None, list[Problem]]:
    reader = _Reader()
    files = list(reader.find(root))
    for file in files:
        reader.read(file)
    refused_domains = None if reader.lost else frozenset(reader.refused_domains)
    documents = Documents(reader.policies, reader.products, reader.domains, refused_domains, reader.directories)
    reader.problems += check_references(documents, today)
    reader.problems += check_purview(reader.accounts, reader.policies)
    if not any(problem.severity == "error" for problem in reader.problems):
        reader.problems += () if reader.accounts else _nothing_wanted(root, documents)
    problems = sorted(set(reader.problems))
    if any(problem.severity == "error" for problem in problems):
        return None, problems
    mesh = Mesh(
        path=root,
        files=tuple(file.relative_to(root).as_posix() if file != root else file.name for file in files),
        policies=reader.policies[0].model if reader.policies else None,
        products=tuple(product.model for product in reader.products),
        domain_documents=tuple(domain.model for domain in reader.domains),
        purview=reader.accounts[0] if reader.accounts else None,
        policies_document=reader.policies[0] if reader.policies else None,
        directory={name: who for part in reader.directories for name, who in part.model.root.items()},
    )
    return mesh, problems


def _nothing_wanted(root: Path, documents: Documents) -> Iterator[Problem]:
    wishes = ((one.model.data_residency, one.model.data_contracts, one.model.data_schema) for one in documents.products)
    if not documents.policies and not any(any(wish) for wish in wishes):
        message = "no governancePolicies, and no dataProduct with a dataResidency: nothing is asked for"
        yield Problem(Location(_shown(root)), "$", message)


def _shown(path: Path) -> str:
    """The path as messages name it: from the current directory when it is below."""
    absolute = Path(os.path.abspath(path))  # noqa: PTH100 - resolve() would follow links, and name another file
    here = Path.cwd()
    return printable(str(absolute.relative_to(here) if absolute.is_relative_to(here) else absolute))


def _hidden(path: str, root: str) -> bool:
    return any(part.startswith(".") for part in Path(path).relative_to(root).parts)


class _Reader:
    """Collects the documents that are right in themselves, and the problems of the others."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self.policies: list[Loaded[GovernancePolicies]] = []
        self.products: list[Loaded[DataProduct]] = []
        self.domains: list[Loaded[Domain]] = []
        self.directories: list[Loaded[Directory]] = []
        self.accounts: list[Loaded[PurviewAccountWish]] = []
        self.refused_domains: set[str] = set()
        self.lost = False

    def find(self, root: Path) -> Iterator[Path]:
        """The YAML files below `root` in order, or `root` itself if it is a file."""
        if not root.is_dir():
            if root.exists():
                yield root
            else:
                self.refuse(root, "there is no such file or folder; `sovereignmesh init` writes a mesh to begin with")
            return
        inside, any_file = os.path.realpath(root), False
        for folder, folders, names in os.walk(root, onerror=self.unreadable):
            folders[:] = sorted(name for name in folders if not name.startswith("."))
            links = [name for name in folders if (Path(folder) / name).is_symlink()]
            yaml_files = [name for name in names if name.lower().endswith(_SUFFIXES) and not name.startswith(".")]
            for name in (*links, *sorted(yaml_files)):
                file, any_file = Path(folder) / name, True
                if not Path(os.path.realpath(file)).is_relative_to(inside):
                    self.refuse(file, "a link that leads out of the mesh's folder: copy what it points to")
                elif name in links and _hidden(os.path.realpath(file), inside):
                    self.refuse(
                        file, "a link to a folder that is not read by itself, being hidden: copy what it points to"
                    )
                elif name not in links:
                    yield file
        if not any_file:
            self.refuse(root, "no *.yaml file is in this folder; `sovereignmesh init` writes a mesh to begin with")

    def refuse(self, path: Path, message: str) -> None:
        self.problems.append(Problem(Location(_shown(path)), "$", message))
        self.lost = True

    def unreadable(self, error: OSError) -> None:
        self.refuse(Path(error.filename), f"cannot be read: {error.strerror}")

    def read(self, file: Path) -> None:
        if not file.exists() or file.is_file():
            try:
                with file.open("rb") as stream:
                    data = stream.read(MAX_BYTES + 1)
            except OSError as error:
                self.unreadable(error)
                return
            for document in parse_all(data, _shown(file)):
                self.accept(document)
        else:
            self.refuse(file, "is no regular file")

    def accept(self, document: Document) -> None:
        self.problems += document.problems
        value = document.value
        if not isinstance(value, dict) or not value:
            self.lost = bool(document.problems) or self.lost
            if not document.problems:
                what = "the document is empty" if not value else f"found {found(value)}, wants a mapping"
                self.problems.append(Problem(document.locate(()), "$", f"{what}: begin with {_one_of()}"))
            return
        known = [key for key in value if key in _MODELS]
        for key in value:
            if key not in known:
                message = f"unknown document '{printable(key)}'{did_you_mean(key, _MODELS)}; known: "
                self.say(document, (key,), message + _one_of())
        for key in known[1:]:
            self.say(document, (key,), f"the document is a '{known[0]}' already: put '---' between two documents")
        for key in known:
            self.accept_part(document, key, value[key])

    def accept_part(self, document: Document, key: str, value: object) -> None:
        said = {problem.path for problem in document.problems}
        for path in _blanks(value, (key,)):
            if json_path(path) not in said:
                self.say(document, path, "no value is given: give one, or remove the key")
                said.add(json_path(path))
        model = _MODELS[key]
        try:
            checked = model.model_validate(value, by_alias=True, by_name=False)
        except ValidationError as error:
            self.problems += [problem for problem in explain(error, document, key, model) if problem.path not in said]
            self.refused_domains.update(_domain_names(value))
            return
        match checked:
            case GovernancePolicies():
                self.policies.append(Loaded(checked, document, key))
            case DataProduct():
                self.products.append(Loaded(checked, document, key))
            case Domain():
                self.domains.append(Loaded(checked, document, key))
            case Directory():
                self.directories.append(Loaded(checked, document, key))
            case PurviewAccountWish():
                self.accounts.append(Loaded(checked, document, key))

    def say(self, document: Document, path: Steps, message: str, severity: str = "error") -> None:
        self.problems.append(Problem(document.locate(path, key=True), json_path(path), message, severity))


def _one_of() -> str:
    return ", ".join(_MODELS)


def _blanks(value: Any, path: Steps) -> Iterator[Steps]:
    """Where a value is left out: `allowedRegions:` with nothing behind it must not mean "anywhere"."""
    if value is None:
        yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, inner in items:
        yield from _blanks(inner, (*path, step))


def _domain_names(value: object) -> Iterator[str]:
    names = (value.get(key) for key in ("domain", "name")) if isinstance(value, dict) else ()
    return (name.casefold() for name in names if isinstance(name, str))
