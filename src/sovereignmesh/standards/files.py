"""Reads the documents of a standard, YAML or JSON, from files or as plain data, with their places."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import yaml

from sovereignmesh.errors import MeshError
from sovereignmesh.mesh.words import found
from sovereignmesh.result import Location, Problem, printable
from sovereignmesh.standards.words import check_words, read_version
from sovereignmesh.yamlfile import MAX_BYTES, Document, dump, parse, parse_all

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator

    from sovereignmesh.standards.words import Standard, Version
    from sovereignmesh.yamlfile import Path as Steps

__all__ = ["checked", "read_documents", "refused"]

_SUFFIXES: Final = (".yaml", ".yml", ".json")
_NO_PLACE: Final[dict[Steps, tuple[int, int]]] = {(): (0, 0)}


def refused(place: str, message: str) -> MeshError:
    """The error of what has no place in a document."""
    return MeshError([Problem(Location(printable(place)), "$", printable(message))])


def read_documents(source: str | os.PathLike[str] | Mapping[str, Any]) -> list[Document]:
    """The documents of a file, of all files in a folder, or the one that is given as plain data.

    Raises MeshError where a file cannot be read, is neither YAML nor JSON, or holds no mapping.
    """
    documents = [_given(source)] if isinstance(source, Mapping) else list(_files(source))
    problems = [problem for document in documents for problem in document.problems]
    problems += [
        Problem(document.locate(()), "$", f"found {found(document.value)}, wants a mapping")
        for document in documents
        if not document.problems and not isinstance(document.value, dict)
    ]
    if problems:
        raise MeshError(problems)
    return documents


def checked(document: Document, standard: Standard, part: str, wanted: Version | None = None) -> Version:
    """The version of a document that says only what that version knows. Raises MeshError with all that it does not."""
    version, problem = read_version(document, standard)
    if problem is None and wanted is not None and wanted != version:
        message = f"found version {'.'.join(map(str, version))}, wants {'.'.join(map(str, wanted))}, as was asked for"
        problem = Problem(document.locate(("apiVersion",)), "$.apiVersion", message)
    problems = [problem] if problem else list(check_words(document, standard, version, part))
    if problems:
        raise MeshError(sorted(problems))
    return version


def _files(source: str | os.PathLike[str]) -> Iterator[Document]:
    path = Path(source)
    paths = [path]
    if path.is_dir():
        paths = sorted(file for file in path.iterdir() if file.suffix.lower() in _SUFFIXES and file.is_file())
        if not paths:
            raise refused(str(path), "no *.yaml or *.json file is in this folder")
    for file in paths:
        if file.exists() and not file.is_file():
            raise refused(str(file), "is no regular file")
        try:
            with file.open("rb") as stream:
                data = stream.read(MAX_BYTES + 1)
        except OSError as error:
            raise refused(str(file), f"cannot be read: {error.strerror}") from error
        name = printable(str(file))
        yield from [_json(data, name)] if file.suffix.lower() == ".json" else parse_all(data, name)


def _json(data: bytes, name: str) -> Document:
    """A file of JSON. YAML reads nearly all of it, and knows the lines; the rest is read without them."""
    document = parse(data, name)
    try:
        value = json.loads(data.decode(), object_pairs_hook=_once, parse_constant=_no_number)
        again = parse(json.dumps(value, ensure_ascii=False).encode(), name)
    except (ValueError, RecursionError):  # the words of YAML's reader have a place
        return document if document.problems else replace(document, problems=(_no_json(name),))
    if document.problems:
        problems = tuple(replace(problem, location=Location(name)) for problem in again.problems)
        return Document(name, value, problems, dict(_NO_PLACE))
    return replace(document, value=value)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(dict(pairs)) < len(pairs):
        raise ValueError("a key is there twice")
    return dict(pairs)


def _no_number(word: str) -> object:
    raise ValueError(f"{word} is no number of JSON")


def _no_json(name: str) -> Problem:
    return Problem(Location(name), "$", "is no JSON: name it *.yaml if it is YAML")


def _given(value: Mapping[str, Any]) -> Document:
    """Plain data as a file would have been read: dates are strings."""
    name = "the document"
    try:
        document = parse(dump(dict(value)).encode(), name)
    except (yaml.YAMLError, RecursionError, UnicodeEncodeError) as error:
        raise refused(name, f"is no plain data: {error}") from error
    problems = tuple(replace(problem, location=Location(name)) for problem in document.problems)
    return Document(name, document.value, problems, dict(_NO_PLACE))
