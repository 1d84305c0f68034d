"""The project's source as pieces: what each top-level name is made of and what it refers to.

Nothing is imported: modules are parsed. What cannot change a result is left out of the trees before
anything looks at them: docstrings, what an error says, reports of progress, and functions of a
class that ask a stage, which `build` never has.
"""

import ast
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

PROGRESS = ("progress", "report")
"""Functions that tell people how far it is, whoever holds them."""
STAGE = re.compile(r"\bStage\b")
EVERYTHING = "*"
"""After the dotted name of a package: the package with all that is in it."""

Function = ast.FunctionDef | ast.AsyncFunctionDef
FUNCTION = (ast.FunctionDef, ast.AsyncFunctionDef)
COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


class _Stripped(ast.NodeTransformer):
    """A tree without what cannot change a result."""

    def visit_Expr(self, node: ast.Expr) -> ast.AST | None:
        """Drop docstrings and reports of progress."""
        value = node.value
        if isinstance(value, ast.Constant) and isinstance(value.value, str):
            return None
        if isinstance(value, ast.Call) and _last_name(value.func) in PROGRESS:
            return None
        return self.generic_visit(node)

    def visit_Raise(self, node: ast.Raise) -> ast.AST:
        """Keep which error is raised, not what it says."""
        if isinstance(node.exc, ast.Call) and _last_name(node.exc.func).endswith("Error"):
            node.exc = node.exc.func
        return self.generic_visit(node)

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        """Drop the methods that ask a stage."""
        node.body = [part for part in node.body if not asks_stage(part)]
        return self.generic_visit(node)


def asks_stage(node: ast.AST) -> bool:
    """Say whether a function takes a stage: then it makes specs and requirements, not results."""
    if not isinstance(node, FUNCTION):
        return False
    arguments = (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)
    annotations = (argument.annotation for argument in arguments if argument.annotation)
    return any(STAGE.search(ast.unparse(annotation)) for annotation in annotations)


def _last_name(node: ast.AST) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


@dataclass
class Module:
    """A parsed module: its imports, and the statements that each of its names is made by.

    `changes` are statements that change a value which may be another module's, with the name of
    that value as it is written (`KINDS["gloss"] = Gloss()`); `rest` makes and changes nothing.
    """

    name: str
    path: Path
    imports: dict[str, str] = field(default_factory=dict)
    pieces: dict[str, list[ast.stmt]] = field(default_factory=dict)
    changes: list[tuple[str, ast.stmt]] = field(default_factory=list)
    rest: list[ast.stmt] = field(default_factory=list)

    @property
    def is_package(self) -> bool:
        """Say whether other modules lie in it."""
        return self.path.name == "__init__.py"

    @cached_property
    def classes(self) -> dict[str, ast.ClassDef]:
        """The classes by name."""
        made = [s for statements in self.pieces.values() for s in statements]
        return {s.name: s for s in made if isinstance(s, ast.ClassDef)}


def read_module(name: str, path: Path) -> Module:
    """Parse a module and sort its statements."""
    module = Module(name, path)
    tree = _Stripped().visit(ast.parse(path.read_text(encoding="utf-8")))
    for statement in tree.body:
        names = bindings([statement], module)
        imported = {name: target for name, target in names.items() if target}
        module.imports.update(imported)
        made = [name for name in names if name not in imported]
        for made_name in made:
            module.pieces.setdefault(made_name, []).append(statement)
        changed = [] if isinstance(statement, (*FUNCTION, ast.ClassDef)) else [*_changed(statement)]
        module.changes += [(root, statement) for root in changed]
        if not (made or changed or isinstance(statement, ast.Import | ast.ImportFrom)):
            module.rest.append(statement)
    return module


def _changed(statement: ast.stmt) -> Iterator[str]:
    """Yield the values that a top-level statement changes in place or has changed by a method."""
    for node in ast.walk(statement):
        if isinstance(node, ast.Subscript | ast.Attribute) and not isinstance(node.ctx, ast.Load):
            yield from _root(node.value)
        elif (
            isinstance(node, ast.Expr)
            and isinstance(node.value, ast.Call)
            and isinstance(node.value.func, ast.Attribute)
        ):
            yield from _root(node.value.func.value)


def _root(node: ast.expr) -> Iterator[str]:
    while isinstance(node, ast.Subscript):
        node = node.value
    if dotted := dotted_name(node):
        yield dotted


def dotted_name(node: ast.expr) -> str:
    """Return `a.b.c` for such an expression, else nothing."""
    if isinstance(node, ast.Attribute):
        before = dotted_name(node.value)
        return f"{before}.{node.attr}" if before else ""
    return node.id if isinstance(node, ast.Name) else ""


def bindings(body: Sequence[ast.AST], module: Module) -> dict[str, str]:
    """Return the names that statements bind in their own scope: imports with what they stand for.

    The other names stand for nothing that can be told from here: an empty string.
    """
    bound: dict[str, str] = {}
    pending = list(body)
    while pending:
        node = pending.pop()
        if isinstance(node, ast.Import | ast.ImportFrom):
            bound.update(_imported(node, module))
        elif isinstance(node, (*FUNCTION, ast.ClassDef)):
            bound[node.name] = ""
        elif isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            bound[node.id] = ""
        elif isinstance(node, ast.ExceptHandler | ast.MatchAs | ast.MatchStar) and node.name:
            bound[node.name] = ""
        if isinstance(node, COMPREHENSIONS):
            walrus = (part for part in ast.walk(node) if isinstance(part, ast.NamedExpr))
            bound.update({part.target.id: "" for part in walrus})
        elif not isinstance(node, (*FUNCTION, ast.ClassDef, ast.Lambda)):
            pending += ast.iter_child_nodes(node)
    return bound


def _imported(node: ast.Import | ast.ImportFrom, module: Module) -> Iterator[tuple[str, str]]:
    if isinstance(node, ast.Import):
        for alias in node.names:
            top = alias.name.partition(".")[0]
            yield (alias.asname, alias.name) if alias.asname else (top, top)
        return
    origin = node.module or ""
    if node.level:
        parts = module.name.split(".")
        kept = parts[: len(parts) - node.level + module.is_package]
        origin = ".".join([*kept, *filter(None, [origin])])
    for alias in node.names:
        yield alias.asname or alias.name, f"{origin}.{alias.name}"


@dataclass
class _Scope:
    names: Mapping[str, str]
    of_class: bool = False


class References(ast.NodeVisitor):
    """The dotted names that a piece of a module refers to, of whatever project or library.

    A string that is the dotted name of a project's module counts: a child process may run it.
    """

    def __init__(self, module: Module, modules: Mapping[str, Module]) -> None:
        self.found: set[str] = set()
        self._module, self._modules = module, modules
        self._scopes: list[_Scope] = []
        self._in_annotation = False

    def visit_Name(self, node: ast.Name) -> None:
        """Note a name that is read."""
        if isinstance(node.ctx, ast.Load):
            self._note(node.id)

    def visit_Attribute(self, node: ast.Attribute) -> None:
        """Note `module.name` as a whole."""
        dotted = dotted_name(node)
        if dotted:
            self._note(dotted)
        else:
            self.generic_visit(node)

    def visit_Constant(self, node: ast.Constant) -> None:
        """Note a module's name, and look into annotations that are strings."""
        value = node.value
        if not isinstance(value, str):
            return
        if "." in value and value in self._modules:
            inside = self._modules[value].is_package
            self.found.add(f"{value}.{EVERYTHING}" if inside else value)
        elif self._in_annotation and value.isprintable():
            self._visit_quoted(value)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        """Visit what stands outside of the function's scope, then its body."""
        self._visit_function(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> None:
        """Visit it like any other function."""
        self._visit_function(node)

    def visit_Lambda(self, node: ast.Lambda) -> None:
        """Visit defaults, then the body with its arguments."""
        self.visit(node.args)
        self._visit_within(_arguments(node.args), [node.body])

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        """Visit a class, whose names its methods do not see."""
        for part in (*node.decorator_list, *node.bases, *node.keywords):
            self.visit(part)
        self._visit_within(bindings(node.body, self._module), node.body, of_class=True)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        """Visit an annotation as such."""
        self._visit_annotation(node.annotation)
        self.visit(node.target)
        if node.value:
            self.visit(node.value)

    def visit_arg(self, node: ast.arg) -> None:
        """Visit an argument's annotation."""
        self._visit_annotation(node.annotation)

    def visit_ListComp(self, node: ast.ListComp) -> None:
        """Visit a comprehension in its own scope."""
        self._visit_comprehension(node, [node.elt])

    def visit_SetComp(self, node: ast.SetComp) -> None:
        """Visit a comprehension in its own scope."""
        self._visit_comprehension(node, [node.elt])

    def visit_GeneratorExp(self, node: ast.GeneratorExp) -> None:
        """Visit a comprehension in its own scope."""
        self._visit_comprehension(node, [node.elt])

    def visit_DictComp(self, node: ast.DictComp) -> None:
        """Visit a comprehension in its own scope."""
        self._visit_comprehension(node, [node.key, node.value])

    def _visit_function(self, node: Function) -> None:
        for part in (*node.decorator_list, node.args):
            self.visit(part)
        self._visit_annotation(node.returns)
        bound = bindings(node.body, self._module)
        read = {part.id for part in ast.walk(node) if isinstance(part, ast.Name)}
        # imported for what the import does
        self.found |= {target for name, target in bound.items() if target and name not in read}
        for part in ast.walk(node):
            if isinstance(part, ast.Global | ast.Nonlocal):
                bound = {name: target for name, target in bound.items() if name not in part.names}
        self._visit_within({**_arguments(node.args), **bound}, node.body)

    def _visit_comprehension(
        self,
        node: ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp,
        made: list[ast.expr],
    ) -> None:
        first, *_ = node.generators
        self.visit(first.iter)  # it is outside of the comprehension's scope
        bound = bindings([generator.target for generator in node.generators], self._module)
        conditions = [test for generator in node.generators for test in generator.ifs]
        later = [generator.iter for generator in node.generators[1:]]
        self._visit_within(bound, [*later, *conditions, *made])

    def _visit_within(
        self, names: Mapping[str, str], body: Sequence[ast.AST], *, of_class: bool = False
    ) -> None:
        self._scopes.append(_Scope(names, of_class))
        for part in body:
            self.visit(part)
        self._scopes.pop()

    def _visit_annotation(self, node: ast.expr | None) -> None:
        if node is not None:
            outside, self._in_annotation = self._in_annotation, True
            self.visit(node)
            self._in_annotation = outside

    def _visit_quoted(self, annotation: str) -> None:
        try:
            self.visit(ast.parse(annotation, mode="eval").body)
        except SyntaxError:
            return  # one of the words of a Literal

    def _note(self, dotted: str) -> None:
        root, _, attributes = dotted.partition(".")
        target = self._meaning(root)
        if target:
            self.found.add(f"{target}.{attributes}" if attributes else target)

    def _meaning(self, name: str) -> str:
        """Return what a name stands for where it is read; nothing for local values and builtins."""
        for number, scope in enumerate(reversed(self._scopes)):
            if name in scope.names and not (scope.of_class and number):
                return scope.names[name]
        if name in self._module.pieces:
            return f"{self._module.name}.{name}"
        return self._module.imports.get(name, "")


def _arguments(arguments: ast.arguments) -> dict[str, str]:
    every = (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)
    others = (arguments.vararg, arguments.kwarg)
    return {argument.arg: "" for argument in (*every, *others) if argument}
