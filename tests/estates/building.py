"""The sample estate's generator, as a module."""

import importlib.util
from pathlib import Path

ROOT = Path(__file__).parents[2]
SAMPLE = ROOT / "fixtures" / "estates" / "contoso.jsonl"
CHILDREN = ROOT / "fixtures" / "estates" / "contoso.children.jsonl"
TRUTH = ROOT / "tests" / "estates" / "contoso.truth.json"
POLICY = ROOT / "fixtures" / "estates" / "contoso.policy.jsonl"
POLICY_TRUTH = ROOT / "tests" / "estates" / "contoso.policy.truth.json"
ASSETS = ROOT / "fixtures" / "estates" / "contoso.assets.jsonl"
CATALOG_TRUTH = ROOT / "tests" / "estates" / "contoso.catalog.truth.json"
DEPTH_TRUTH = ROOT / "tests" / "estates" / "contoso.depth.truth.json"
PACKAGED = ROOT / "src" / "sovereignmesh" / "sandbox" / "estates"


def load_build():
    spec = importlib.util.spec_from_file_location("build", ROOT / "fixtures" / "estates" / "build.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


BUILD = load_build()
