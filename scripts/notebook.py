"""Runs the notebooks in docs and writes what they print; with --check, fails where a cell fails or prints otherwise."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient

ROOT = Path(__file__).parents[1]


def run(path: Path) -> Any:
    """The notebook with its outputs, as the environment of this process gives them."""
    notebook = nbformat.read(path, as_version=4)
    os.environ.update(NO_COLOR="1", PYTHONWARNINGS="ignore")
    NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(path.parent)}}).execute()
    for cell in notebook.cells:
        cell.metadata = {}
        pieces = [one for one in cell.get("outputs", []) if one["output_type"] == "stream"]
        for piece in pieces[1:]:
            pieces[0]["text"] += piece["text"]
            cell.outputs.remove(piece)
    notebook.metadata = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}}
    return notebook


def printed(notebook: Any) -> list[list[Any]]:
    """What each cell gives; what it prints as one text, in however many pieces it came."""
    told = []
    for cell in notebook.cells:
        outputs = cell.get("outputs", [])
        text = "".join(one["text"] for one in outputs if one["output_type"] == "stream")
        told.append([text, *(one for one in outputs if one["output_type"] != "stream")])
    return told


def main(*, check: bool) -> bool:
    right = True
    for path in sorted((ROOT / "docs").glob("*.ipynb")):
        before = nbformat.read(path, as_version=4)
        after = run(path)
        same = printed(before) == printed(after)
        print(f"{path.name}: {len(after.cells)} cells, {'as written' if same else 'prints otherwise'}")
        right = right and same
        if not check:
            nbformat.write(after, path)
    return right or not check


if __name__ == "__main__":
    sys.exit(not main(check="--check" in sys.argv[1:]))
