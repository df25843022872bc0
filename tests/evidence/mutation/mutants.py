"""Every mutant of a module, each with a name that stays when the lines around it move."""

import ast
import difflib
import random
from collections import Counter
from collections.abc import Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tests.evidence.mutation.operators import changed

_ROOT = Path(__file__).resolve().parents[3]


@dataclass(frozen=True)
class Mutant:
    """A module that is wrong in one place."""

    module: str
    name: str
    """Where it is wrong, and in what: `reach.Reach.answer: another comparison: a == b -> a != b`."""
    path: str
    """The function that is changed, such as `Reach.answer`."""
    place: tuple[int, int]
    """Which of its nodes, and which change of that."""

    def tree(self) -> ast.Module:
        """The module with the change."""
        tree = _parsed(self.module)
        node, instead = next(
            (node, instead)
            for place, node, _, instead in _changes(_function(tree, self.path))
            if place == self.place
        )
        broken = _Replacing(node, instead).visit(tree)
        assert isinstance(broken, ast.Module)
        return ast.fix_missing_locations(broken)

    def difference(self) -> str:
        """What is changed, for a person."""
        before, after = (
            ast.unparse(_function(tree, self.path)).splitlines()
            for tree in (_parsed(self.module), self.tree())
        )
        lines = difflib.unified_diff(before, after, lineterm="", n=1)
        return "\n".join(line for line in lines if not line.startswith(("---", "+++", "@@")))


def mutants_of(module: str) -> tuple[Mutant, ...]:
    """All of one module, by its dotted name, in the order of its text."""
    seen: Counter[str] = Counter()
    found = []
    for path, owner in _functions(_parsed(module)):
        for place, node, kind, instead in _changes(owner):
            name = f"{module.rpartition('.')[2]}.{path}: {kind}: {_short(node)} -> {_short(instead)}"
            seen[name] += 1
            found.append(Mutant(module, name if seen[name] == 1 else f"{name} ({seen[name]})", path, place))
    return tuple(found)


def chosen(mutants: Sequence[Mutant], count: int, seed: int) -> list[Mutant]:
    """Some of them, always the same for a seed, in their order."""
    picked = random.Random(seed).sample(range(len(mutants)), min(count, len(mutants)))
    return [mutants[index] for index in sorted(picked)]


@cache
def _parsed(module: str) -> ast.Module:
    return ast.parse((_ROOT / f"{module.replace('.', '/')}.py").read_text())


def _functions(tree: ast.Module) -> Iterator[tuple[str, ast.FunctionDef]]:
    """Every function of a module or of one of its classes, with its dotted name."""
    for node in tree.body:
        if isinstance(node, ast.FunctionDef):
            yield node.name, node
        elif isinstance(node, ast.ClassDef):
            yield from ((f"{node.name}.{f.name}", f) for f in node.body if isinstance(f, ast.FunctionDef))


def _function(tree: ast.Module, path: str) -> ast.FunctionDef:
    return next(function for name, function in _functions(tree) if name == path)


def _changes(owner: ast.FunctionDef) -> Iterator[tuple[tuple[int, int], ast.AST, str, ast.AST]]:
    for index, node in enumerate(_inside(owner)):
        for number, (kind, instead) in enumerate(changed(node)):
            yield (index, number), node, kind, instead


def _inside(owner: ast.FunctionDef) -> Iterator[ast.AST]:
    """What a function does, without its documentation, its types and the words of its reasons."""
    waiting: list[ast.AST] = [part for part in owner.body if not _is_text(part)]
    while waiting:
        node = waiting.pop(0)
        yield node
        for name, value in ast.iter_fields(node):
            if name != "annotation":
                parts = value if isinstance(value, list) else [value]
                waiting += [part for part in parts if isinstance(part, ast.AST) and not _is_text(part)]


def _is_text(node: ast.AST) -> bool:
    if isinstance(node, ast.Expr):
        node = node.value
    return isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str))


def _short(node: ast.AST) -> str:
    return " ".join(ast.unparse(node).split())[:100]


class _Replacing(ast.NodeTransformer):
    """Copies what leads to one node, known by its identity, with another in its place."""

    def __init__(self, node: ast.AST, instead: ast.AST) -> None:
        self._node, self._instead = node, instead

    def visit(self, node: ast.AST) -> ast.AST:
        """The node, or what is there instead."""
        if node is self._node:
            return ast.copy_location(deepcopy(self._instead), node)
        fields = {name: self._copied(value) for name, value in ast.iter_fields(node)}
        return ast.copy_location(type(node)(**fields), node)

    def _copied(self, value: object) -> object:
        if isinstance(value, list):
            return [self._copied(part) for part in value]
        return self.visit(value) if isinstance(value, ast.AST) else value
