"""The code that a stage's `build` reaches, followed name by name through the project's source.

Followed are functions, classes (whole, with their bases), constants with what other modules enter
into them, types in annotations, and modules that are named in strings. Not followed: how stages are
kept, run and shown, other stages (their artifacts have fingerprints), and what asks a stage.
A registry's entries are seen where a module enters them outside of any function, as in
`KINDS["gloss"] = Gloss()`; what a function or a decorator enters is not.
"""

import ast
import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from models.support.errors import StageError
from pipeline.looking.code import EVERYTHING, Module, References, asks_stage, read_module

PACKAGES = ("pipeline", "tasks", "models")
STAGE_LIST = ("pipeline.dag", "STAGES")
MACHINERY = (
    "pipeline.stages.stage",
    "pipeline.store",
    "pipeline.console",
    "pipeline.settings",
    "tasks.progress",
    "models.support.errors",
    "models.support.processes",
)
"""Modules that cannot change a result: they keep, start, stop and show what others compute."""
FIRST_VERSION = 1
DIGITS, PIECE_DIGITS = 16, 8
UNNAMED = "(statements)"


class Key(NamedTuple):
    """A piece of code: a module and a name in it; no name means the whole module."""

    module: str
    name: str = ""

    @property
    def dotted(self) -> str:
        """Module and name in one."""
        return f"{self.module}.{self.name}"


BASE = Key("pipeline.stages.stage", "Stage")
"""What every stage inherits from."""


class StageCode(NamedTuple):
    """A stage's version, and a digest of each piece of code that its `build` reaches."""

    version: int
    pieces: Mapping[Key, str]

    @property
    def digest(self) -> str:
        """One digest of all."""
        lines = "".join(f"{key.dotted} {digest}\n" for key, digest in sorted(self.pieces.items()))
        return _sha256(lines)[:DIGITS]


@dataclass(frozen=True)
class Project:
    """The source of the project below a folder."""

    root: Path

    @cached_property
    def modules(self) -> dict[str, Module]:
        """Every module by its dotted name."""
        paths = [path for package in PACKAGES for path in (self.root / package).rglob("*.py")]
        found = {}
        for path in sorted(paths):
            parts = path.relative_to(self.root).with_suffix("").parts
            name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
            found[name] = read_module(name, path)
        return found

    def stages(self) -> dict[str, StageCode]:
        """Return every stage of the DAG with its version and its code."""
        listed = self.modules[STAGE_LIST[0]].pieces[STAGE_LIST[1]]
        names = References(self.modules[STAGE_LIST[0]], self.modules)
        for statement in listed:
            names.visit(statement)
        keys = {key for dotted in names.found for key in self._resolve(dotted)} - {BASE}
        return {key.name: self._stage_code(key) for key in sorted(keys) if self._is_stage(key)}

    def _stage_code(self, stage: Key) -> StageCode:
        build = self._inherited(stage, "build")
        if build is None:
            raise StageError(f"{stage.module}: {stage.name} has no build")
        return StageCode(self._version(stage), dict(sorted(self._reached(build))))

    def _version(self, stage: Key) -> int:
        key = self._inherited(stage, "VERSION")
        if key is None:
            return FIRST_VERSION
        (statement,) = self._statements(key)
        value = statement.value if isinstance(statement, ast.Assign | ast.AnnAssign) else None
        if not isinstance(value, ast.Constant) or not isinstance(value.value, int):
            raise StageError(f"{key.module}: {key.name} must be a number that is written there")
        return value.value

    def _reached(self, start: Key) -> Iterator[tuple[Key, str]]:
        """Yield place and digest of each piece that is reached."""
        seen: set[Key] = set()
        pending = [start]
        while pending:
            key = pending.pop()
            if key in seen or self._is_left_out(key):
                continue
            seen.add(key)
            found, digests = self._piece(key)
            yield from digests.items()
            pending += found

    def _is_left_out(self, key: Key) -> bool:
        if key.module in MACHINERY or self._is_stage(key):
            return True
        return any(asks_stage(statement) for statement in self._statements(key))

    @cached_property
    def _known(self) -> dict[Key, tuple[set[Key], dict[Key, str]]]:
        return {}

    def _piece(self, key: Key) -> tuple[set[Key], dict[Key, str]]:
        """Return what a piece leads to, and the digests of what it is itself."""
        if key not in self._known:
            module = self.modules[key.module]
            if key.name == EVERYTHING:
                self._known[key] = self._package(module)
            elif not key.name:
                found = {Key(key.module, name) for name in module.pieces}
                self._known[key] = self._read(module, UNNAMED, module.rest, found)
            else:
                found = {Key(*place) for place in self._changes.get(key, ())}
                self._known[key] = self._read(module, key.name, self._statements(key), found)
        return self._known[key]

    def _read(
        self, module: Module, name: str, statements: list[ast.stmt], found: set[Key]
    ) -> tuple[set[Key], dict[Key, str]]:
        if not statements:
            return found, {}
        references = References(module, self.modules)
        for statement in statements:
            references.visit(statement)
        for dotted in references.found:
            found |= self._resolve(dotted)
        dumped = "\n".join(ast.dump(statement, annotate_fields=False) for statement in statements)
        return found, {Key(module.name, name): _sha256(dumped)[:PIECE_DIGITS]}

    def _package(self, module: Module) -> tuple[set[Key], dict[Key, str]]:
        """Return all modules of a package, and the digests of its other files."""
        inside = {Key(name) for name in self.modules if f"{name}.".startswith(f"{module.name}.")}
        folder = module.path.parent
        files = (path for path in folder.rglob("*") if path.is_file())
        others = (path for path in files if path.suffix not in (".py", ".pyc"))
        digest = {
            Key(module.name, path.relative_to(folder).as_posix()): hashlib.sha256(
                path.read_bytes()
            ).hexdigest()[:PIECE_DIGITS]
            for path in others
        }
        return inside, digest

    def _statements(self, key: Key) -> list[ast.stmt]:
        """Return what a name, or a name of a class, is made by."""
        module = self.modules[key.module]
        if key in self._change_statements:
            return self._change_statements[key]
        if key.name in module.pieces:
            return module.pieces[key.name]
        owner, _, name = key.name.partition(".")
        return _members(module.classes[owner], name) if owner in module.classes else []

    @cached_property
    def _change_statements(self) -> dict[Key, list[ast.stmt]]:
        found: dict[Key, list[ast.stmt]] = {}
        for module in self.modules.values():
            for root, statement in module.changes:
                found.setdefault(Key(module.name, f"{root}[...]"), []).append(statement)
        return found

    @cached_property
    def _changes(self) -> dict[Key, list[Key]]:
        """By the piece that is changed: where that is done."""
        found: dict[Key, list[Key]] = {}
        for module in self.modules.values():
            for root in {root for root, _ in module.changes}:
                top, _, rest = root.partition(".")
                origin = module.imports.get(top, f"{module.name}.{top}")
                for key in self._resolve(f"{origin}.{rest}" if rest else origin):
                    found.setdefault(key, []).append(Key(module.name, f"{root}[...]"))
        return found

    def _resolve(self, dotted: str) -> set[Key]:
        """Return the piece that a dotted name means; none where it is not the project's."""
        parts = dotted.split(".")
        for length in range(len(parts), 0, -1):
            module = self.modules.get(".".join(parts[:length]))
            if module is None:
                continue
            if length == len(parts):
                return {Key(module.name)}
            name, *rest = parts[length:]
            if name == EVERYTHING or name in module.pieces:
                return {self._member(Key(module.name, name), rest)}
            if name in module.imports:
                return self._resolve(".".join([module.imports[name], *rest]))
            return {Key(module.name)}
        return set()

    def _member(self, key: Key, rest: list[str]) -> Key:
        """Return a stage's own member instead of the stage, which is not followed."""
        if not rest or not self._is_stage(key):
            return key
        return self._inherited(key, rest[0]) or key

    def _is_stage(self, key: Key) -> bool:
        if key == BASE:
            return True
        return any(map(self._is_stage, self._bases(key)))

    def _bases(self, key: Key) -> list[Key]:
        """Return the bases of a class that are the project's."""
        module = self.modules[key.module]
        if key.name not in module.classes:
            return []
        references = References(module, self.modules)
        found = []
        for base in module.classes[key.name].bases:
            references.found.clear()
            references.visit(base.value if isinstance(base, ast.Subscript) else base)
            found += [key for dotted in references.found for key in self._resolve(dotted)]
        return found

    def _inherited(self, key: Key, name: str) -> Key | None:
        """Return where a class has a member from, if from the project."""
        module = self.modules[key.module]
        if key.name not in module.classes or key.module == BASE.module:
            return None
        if _members(module.classes[key.name], name):
            return Key(key.module, f"{key.name}.{name}")
        bases = (self._inherited(base, name) for base in self._bases(key))
        return next(filter(None, bases), None)


def _members(of: ast.ClassDef, name: str) -> list[ast.stmt]:
    def names(statement: ast.stmt) -> Iterator[str]:
        if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield statement.name
        elif isinstance(statement, ast.Assign):
            yield from (t.id for t in statement.targets if isinstance(t, ast.Name))
        elif isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
            yield statement.target.id

    return [statement for statement in of.body if name in names(statement)]


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
