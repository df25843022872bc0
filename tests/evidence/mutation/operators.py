"""What may be changed in a piece of code: one small thing at a time, as a person would get it wrong."""

import ast
from collections.abc import Iterator
from copy import deepcopy
from itertools import pairwise

_COMPARISONS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
}
_OPERATORS: dict[type[ast.operator], type[ast.operator]] = {
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
}
_WORDS = {
    "yes": "no",
    "no": "yes",
    "unknown": "yes",
    "any": "all",
    "all": "any",
    "any_of": "all_of",
    "all_of": "any_of",
}
"""Functions that are easily taken one for the other."""


_UNLIKE = {
    "next",
    "get",
    "setdefault",
    "isinstance",
    "partition",
    "removesuffix",
    "replace",
    "fromkeys",
    "getattr",
}
"""Functions whose arguments are of different kinds, so that nobody takes one for the other unseen."""


def changed(node: ast.AST) -> Iterator[tuple[str, ast.AST]]:
    """Every change of one node, with what kind of change it is."""
    if isinstance(node, ast.Compare):
        yield from _compared(node)
    elif isinstance(node, ast.BoolOp):
        yield from _joined(node)
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        yield "a not is lost", node.operand
    elif isinstance(node, ast.BinOp) and type(node.op) in _OPERATORS:
        yield "another operator", ast.BinOp(node.left, _OPERATORS[type(node.op)](), node.right)
    elif isinstance(node, ast.IfExp):
        yield "always the first", node.body
        yield "always the second", node.orelse
    elif isinstance(node, ast.Constant):
        yield from _constant(node)
    elif isinstance(node, ast.Call):
        yield from _called(node)
    elif isinstance(node, ast.Tuple) and isinstance(node.ctx, ast.Load) and len(node.elts) > 1:
        yield from _shorter(node)
    elif isinstance(node, ast.comprehension) and node.ifs:
        yield "no condition", _with(node, ifs=[])
    elif isinstance(node, ast.stmt):
        yield from _statement(node)


def _compared(node: ast.Compare) -> Iterator[tuple[str, ast.AST]]:
    for index, op in enumerate(node.ops):
        if type(op) in _COMPARISONS:
            ops = [*node.ops[:index], _COMPARISONS[type(op)](), *node.ops[index + 1 :]]
            yield "another comparison", _with(node, ops=ops)


def _joined(node: ast.BoolOp) -> Iterator[tuple[str, ast.AST]]:
    other = ast.Or() if isinstance(node.op, ast.And) else ast.And()
    yield "and for or", _with(node, op=other)
    for index in range(len(node.values)):
        rest = [*node.values[:index], *node.values[index + 1 :]]
        yield "a condition is lost", rest[0] if len(rest) == 1 else _with(node, values=rest)


def _constant(node: ast.Constant) -> Iterator[tuple[str, ast.AST]]:
    if isinstance(node.value, bool):
        yield "the other truth", ast.Constant(not node.value)
    elif isinstance(node.value, int):
        yield "one more", ast.Constant(node.value + 1)
        yield "one less", ast.Constant(node.value - 1)


def _called(node: ast.Call) -> Iterator[tuple[str, ast.AST]]:
    if isinstance(node.func, ast.Name) and node.func.id in _WORDS:
        yield "another word", _with(node, func=ast.Name(_WORDS[node.func.id], ast.Load()))
    if _called_name(node.func) in _UNLIKE:
        return
    plain = [index for index, arg in enumerate(node.args) if not isinstance(arg, ast.Starred)]
    for first, second in pairwise(plain):
        args = list(node.args)
        args[first], args[second] = args[second], args[first]
        if ast.dump(args[first]) != ast.dump(args[second]):
            yield "arguments swapped", _with(node, args=args)


def _called_name(function: ast.expr) -> str:
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def _shorter(node: ast.Tuple) -> Iterator[tuple[str, ast.AST]]:
    for index, element in enumerate(node.elts):
        if isinstance(element, ast.Starred):
            yield "a part is lost", _with(node, elts=[*node.elts[:index], *node.elts[index + 1 :]])


def _statement(node: ast.stmt) -> Iterator[tuple[str, ast.AST]]:
    if isinstance(node, ast.If):
        yield "never", _with(node, test=ast.Constant(False))
        yield "always", _with(node, test=ast.Constant(True))
    elif isinstance(node, ast.Return) and node.value is not None:
        yield from _returned(node, node.value)
    elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Yield | ast.YieldFrom):
        yield "nothing is yielded", ast.Expr(ast.YieldFrom(ast.Tuple([], ast.Load())))
    elif isinstance(node, ast.Continue):
        yield "no continue", ast.Pass()
    elif isinstance(node, ast.AugAssign):
        yield "nothing is added", ast.Pass()


def _returned(node: ast.Return, value: ast.expr) -> Iterator[tuple[str, ast.AST]]:
    if isinstance(value, ast.Compare | ast.BoolOp) or (
        isinstance(value, ast.UnaryOp) and isinstance(value.op, ast.Not)
    ):
        yield "always true", ast.Return(ast.Constant(True))
        yield "always false", ast.Return(ast.Constant(False))
    elif isinstance(value, ast.Tuple | ast.List | ast.ListComp) and ast.unparse(value) != "()":
        yield "nothing is returned", ast.Return(ast.Tuple([], ast.Load()))
    elif isinstance(value, ast.DictComp | ast.Dict):
        yield "nothing is returned", ast.Return(ast.Dict([], []))


def _with(node: ast.AST, **fields: object) -> ast.AST:
    """A copy of a node with some other fields."""
    copy = deepcopy(node)
    for name, value in fields.items():
        setattr(copy, name, value)
    return copy
