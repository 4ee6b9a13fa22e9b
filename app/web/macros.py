"""Templates compiled to less work: macros become plain functions, which are called directly, as methods are.

Jinja looks at every call and every value that it puts in a page as if it could be anything; a page of ours calls
hundreds of macros and puts in a thousand texts. What follows is known while a template is compiled, and halves the time
that a page takes. Templates mean the same: tests/web/test_folding.py compares with Jinja as it comes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, MutableMapping
from functools import cache, lru_cache, partial
from typing import Any, Final

import markupsafe
from jinja2 import Environment, StrictUndefined, Template, nodes
from jinja2.compiler import CodeGenerator, Frame, MacroRef
from jinja2.runtime import Context
from jinja2.utils import missing
from markupsafe import Markup

Render = Callable[..., str]
COMPONENTS: Final = "ui"  # the name under which templates find the macros of templates/components
KEPT: Final = "kept_"
"""Begins the name of a macro that is rendered once for the same arguments while it is in use. They may hold nothing of
a user: a name or a text may be erased tomorrow."""
KEPT_MAX: Final = 1024  # per macro and language, in memory; what one gives is 1 kB or so
_escape_text: Final[Callable[[str], str]] = markupsafe._escape_inner  # type: ignore[attr-defined]  # noqa: SLF001  # what escape() itself calls for a text
_made: Final[Callable[[str], Markup]] = partial(str.__new__, Markup)  # as Markup(), for what is known to be a text
_NO_CALLER: Final = StrictUndefined("No caller defined", name="caller")


def html(value: object) -> str:
    """As markupsafe.escape(), without wrapping what goes straight into the page."""
    kind = type(value)
    if kind is str:
        return _escape_text(value)  # type: ignore[arg-type]  # a str, by its type
    if kind is Markup:
        return value  # type: ignore[return-value]  # a Markup, by its type
    if kind is int:
        return str(value)
    return markupsafe.escape(value)


class JoinedTemplate(Template):
    """Gives a page in whole blocks. A block gives hundreds of pieces, and each would travel through the layouts."""

    @classmethod
    def _from_namespace(
        cls, environment: Environment, namespace: MutableMapping[str, Any], globals: MutableMapping[str, Any]
    ) -> Template:
        # The code of a block finds itself among these to know what super() is, so by the same name.
        for name in namespace["blocks"]:
            namespace["blocks"][name] = namespace[f"block_{name}"] = _joined(namespace[f"block_{name}"])
        namespace["root"] = _joined(namespace["root"])
        return super()._from_namespace(environment, namespace, globals)


def _joined(render: Callable[[Context], Iterator[str]]) -> Callable[[Context], Iterator[str]]:
    def whole(context: Context) -> Iterator[str]:
        yield "".join(render(context))

    return whole


def as_function(render: Render, name: str | None, arguments: tuple[str, ...], takes_caller: bool) -> Render:
    """`render` wants all arguments, `missing` for those that were not given; Python fills them in. A macro without a
    name is the content of a {% call %}."""
    if name is None and not arguments:
        return lambda: _made(render())
    function = _binding(arguments, takes_caller and "caller" not in arguments)(render)
    if name is not None and name.startswith(KEPT):
        function = lru_cache(maxsize=KEPT_MAX, typed=True)(function)  # a text with markup equals the same without
    function.macro = name  # type: ignore[attr-defined]  # see is_macro()
    return function


def is_macro(value: object) -> bool:
    return getattr(value, "macro", None) is not None


@cache
def _binding(arguments: tuple[str, ...], takes_caller: bool) -> Callable[[Render], Render]:
    given = [*arguments, *(["caller"] if takes_caller else [])]
    parameters = ", ".join(
        f"{each}={'no_caller' if takes_caller and each == 'caller' else 'missing'}" for each in given
    )
    source = f"lambda render: lambda {parameters}: Markup(render({', '.join(given)}))"
    binding: Callable[[Render], Render] = eval(  # noqa: S307  # names of arguments of our own templates
        source, {"Markup": _made, "missing": missing, "no_caller": _NO_CALLER}
    )
    return binding


class MacroCompiler(CodeGenerator):
    """Set as `code_generator_class` of an environment that has the functions above as `html` and `as_function`."""

    _macros: frozenset[str] = frozenset()

    def visit_Template(self, node: nodes.Template, frame: Frame | None = None) -> None:  # noqa: N802  # Jinja's names
        imported = (name for each in node.find_all(nodes.FromImport) for name in each.names)
        self._macros = frozenset(
            {
                "caller",
                *(macro.name for macro in node.find_all(nodes.Macro)),
                *(name if isinstance(name, str) else name[1] for name in imported),
            }
        )
        super().visit_Template(node, frame)

    def macro_def(self, macro_ref: MacroRef, frame: Frame) -> None:
        if macro_ref.accesses_kwargs or macro_ref.accesses_varargs:
            super().macro_def(macro_ref, frame)
            return
        name = getattr(macro_ref.node, "name", None)
        arguments = tuple(argument.name for argument in macro_ref.node.args)
        self.write(f"environment.as_function(macro, {name!r}, {arguments!r}, {macro_ref.accesses_caller!r})")

    def visit_Call(self, node: nodes.Call, frame: Frame, forward_caller: bool = False) -> None:  # noqa: N802
        if not self._is_direct(node):
            super().visit_Call(node, frame, forward_caller=forward_caller)
            return
        self.visit(node.node, frame)
        self.write("(")
        for argument in (*node.args, *node.kwargs):
            self.visit(argument, frame)
            self.write(", ")
        if forward_caller:
            self.write("caller=caller")
        self.write(")")

    def _is_direct(self, node: nodes.Call) -> bool:
        """Whether this calls a macro or a method, which need no context, with arguments that are all written out."""
        is_written_out = node.dyn_args is None and node.dyn_kwargs is None
        return is_written_out and (self._is_macro(node) or isinstance(node.node, nodes.Getattr))

    def _is_macro(self, node: nodes.Expr) -> bool:
        if not isinstance(node, nodes.Call) or node.dyn_args or node.dyn_kwargs:
            return False
        called = node.node
        if isinstance(called, nodes.Getattr):
            return isinstance(called.node, nodes.Name) and called.node.name == COMPONENTS
        return isinstance(called, nodes.Name) and called.name in self._macros

    def _output_child_pre(self, node: nodes.Expr, frame: Frame, finalize: CodeGenerator._FinalizeInfo) -> None:
        if frame.eval_ctx.volatile or not frame.eval_ctx.autoescape or finalize.src is not None:
            super()._output_child_pre(node, frame, finalize)
        else:
            # What a macro gives has been escaped inside it.
            self.write("(" if self._is_macro(node) else "environment.html(")
