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


@pytest.mark.parametrize("path", (ROOT / "models").rglob("*.py"), ids=lambda p: p.stem)
def test_models_do_not_know_each_other(path: Path) -> None:
    names = ("alignment", "casing", "errors", "fork_server", "processes", "subwords")
    shared = {f"models.{name}" for name in names}
    own = "models.nmt" if path.parent != ROOT / "models" else f"models.{path.stem}"
    others = [n for n in imported(path) if n.startswith("models.") and n not in shared]
    assert not [name for name in others if not name.startswith(own)]


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
