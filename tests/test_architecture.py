"""The shape of the code itself: the arrow between layers, where luigi may be, sizes."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LAYERS = ("models", "tasks", "pipeline")
SOURCES = [path for layer in LAYERS for path in sorted((ROOT / layer).rglob("*.py"))]
LONGEST_FUNCTION = 60
LONGEST_MODULE = 450


def imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module


def imported_at_start(path: Path) -> Iterator[str]:
    """Yield what importing the module imports: not the bodies of functions or TYPE_CHECKING."""
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(ROOT)))
def test_imports_go_down_only(path: Path) -> None:
    layer = LAYERS.index(path.relative_to(ROOT).parts[0])
    above = set(LAYERS[layer + 1 :])
    upward = [name for name in imported(path) if name.split(".")[0] in above]
    assert not upward, f"{path} imports upward: {upward}"


ROOMS = {
    "pipeline": (
        ("settings", "console"),
        ("provenance",),
        ("store",),
        ("specs",),
        ("reporting",),
        ("stages",),
        ("dag",),
        ("running",),
        ("looking",),
        ("drafting",),
        ("commands",),
    ),
    "models": (
        ("support", "casing", "writing"),
        ("subwords", "alignment", "language_id", "passages", "phrases"),
        ("encoders", "engines", "nmt"),
        ("tuning",),
        ("heads",),
    ),
}
"""The rooms of a layer, the lowest first: each may use those below it, none beside it."""
MOST_ROOMS = 12


def room(module: str) -> str:
    return module.split(".")[1] if "." in module else ""


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(ROOT)))
def test_rooms_know_only_those_below(path: Path) -> None:
    layer, *inside = path.relative_to(ROOT).with_suffix("").parts
    if layer not in ROOMS or inside == ["__init__"]:
        return
    height = {name: n for n, names in enumerate(ROOMS[layer]) for name in names}
    others = {
        room(name)
        for name in imported(path)
        if name.startswith(f"{layer}.") and room(name) != inside[0]
    }
    upward = sorted(name for name in others if height[name] >= height[inside[0]])
    assert not upward, f"{path}: {inside[0]} may not know {', '.join(upward)}"


def test_the_pipeline_has_few_rooms() -> None:
    names = {path.stem for path in (ROOT / "pipeline").iterdir() if not path.stem.startswith("__")}
    assert names == {name for names in ROOMS["pipeline"] for name in names}
    assert len(names) <= MOST_ROOMS


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(ROOT)))
def test_only_the_pipeline_knows_luigi(path: Path) -> None:
    if path.relative_to(ROOT).parts[0] != "pipeline":
        assert not [name for name in imported(path) if name.split(".")[0] == "luigi"]


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(ROOT)))
def test_heavy_libraries_are_imported_inside_functions(path: Path) -> None:
    if "plugin" in path.parts:  # lives inside fairseq's own process
        return
    heavy = {"torch", "transformers", "fairseq", "ctranslate2", "sklearn", "datasets", "matplotlib"}
    assert not [name for name in imported_at_start(path) if name.split(".")[0] in heavy]


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(ROOT)))
def test_functions_and_modules_stay_small(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= LONGEST_MODULE
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef):
            length = (node.end_lineno or 0) - node.lineno + 1
            assert length <= LONGEST_FUNCTION, f"{path}: {node.name} has {length} lines"


def test_a_type_name_means_one_thing() -> None:
    places: dict[str, set[str]] = {}
    for path in SOURCES:
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                places.setdefault(node.name, set()).add(str(path.relative_to(ROOT)))
    assert not {name: found for name, found in places.items() if len(found) > 1}
