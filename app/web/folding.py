"""Work done once, when a template is compiled, instead of at each use in each row.

Texts are looked up. An included template becomes part of the one that includes it: at run time an include copies all
variables, which costs more than most of our rows themselves.
"""

from __future__ import annotations

import re
from gettext import NullTranslations
from itertools import zip_longest
from typing import Final

from jinja2 import Environment, nodes
from jinja2.visitor import NodeTransformer
from markupsafe import Markup

from app.web.macros import JoinedTemplate, MacroCompiler, as_function, html


class OneLanguageEnvironment(Environment):
    """Folds `_("…")` into its translation and `{% include "…" %}` into its content. Set `texts` before the first
    template. A template that was compiled does not notice a changed include, so reloading leaves includes as they are.
    """

    texts: NullTranslations
    code_generator_class = MacroCompiler
    template_class = JoinedTemplate
    as_function = staticmethod(as_function)
    html = staticmethod(html)

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        template: nodes.Template = _Folding(self, (name,)).visit(super()._parse(source, name, filename))
        return template

    def included(self, name: str, above: tuple[str | None, ...]) -> nodes.Template:
        """Parsed and folded.  Raises TemplateNotFound."""
        assert self.loader is not None
        source, filename, _ = self.loader.get_source(self, name)
        template: nodes.Template = _Folding(self, (*above, name)).visit(super()._parse(source, name, filename))
        return template


class _Folding(NodeTransformer):
    def __init__(self, environment: OneLanguageEnvironment, names: tuple[str | None, ...]) -> None:
        self._environment: Final = environment
        self._names: Final = names  # of the template and those that include it

    def visit_Include(self, node: nodes.Include) -> nodes.Node:  # noqa: N802  # the visitor calls it by the node's name
        self.generic_visit(node)
        is_plain = isinstance(node.template, nodes.Const) and node.with_context and not node.ignore_missing
        if not is_plain or self._environment.auto_reload:
            return node
        name = str(node.template.as_const())
        if name in self._names:
            return node  # it includes itself
        template = self._environment.included(name, self._names)
        if template.find(nodes.Extends) or template.find(nodes.Block):
            return node  # those mean something else inside another template
        for part in template.body:
            # An error is then reported at the line that includes; the other file's lines mean nothing here.
            part.set_lineno(node.lineno, override=True)
        return nodes.Scope(template.body, lineno=node.lineno)

    def visit_Output(self, node: nodes.Output) -> nodes.Output | list[nodes.Node]:  # noqa: N802
        """A text with something filled in becomes pieces of the page around what is filled in."""
        found: list[nodes.Node] = []
        pieces: list[nodes.Expr] = []

        def finish() -> None:
            if pieces:
                found.append(nodes.Output([*pieces], lineno=node.lineno))
                pieces.clear()

        for child in node.nodes:
            match self.visit(child):
                case nodes.CondExpr(test=test, expr1=nodes.Expr() as one, expr2=nodes.Expr() as other) as chosen:
                    finish()
                    sides = [[nodes.Output(_pieces(side), lineno=node.lineno)] for side in (one, other)]
                    found.append(nodes.If(test, sides[0], [], sides[1], lineno=chosen.lineno))
                case expression:
                    pieces += _pieces(expression)
        finish()
        return found

    def visit_Call(self, node: nodes.Call) -> nodes.Node:  # noqa: N802
        self.generic_visit(node)
        if not isinstance(node.node, nodes.Name) or node.dyn_args or node.dyn_kwargs:
            return node
        texts = self._environment.texts
        match node.node.name, node.args:
            case "_", [nodes.Const(value=text)]:
                return _filled_in(texts.gettext(text), node.kwargs, node.lineno)
            case "ngettext", [nodes.Const(value=one), nodes.Const(value=more), number] if _has_two_forms(texts):
                given = [*node.kwargs, nodes.Keyword("num", number)]
                return nodes.CondExpr(
                    nodes.Compare(number, [nodes.Operand("eq", nodes.Const(1))]),
                    _filled_in(texts.ngettext(one, more, 1), given, node.lineno),
                    _filled_in(texts.ngettext(one, more, 2), given, node.lineno),
                    lineno=node.lineno,
                )
        return node


def _filled_in(text: str, values: list[nodes.Keyword], line: int) -> nodes.Expr:
    """As newstyle gettext does at run time: our texts are trusted, what is filled in gets escaped, %% is a per cent
    sign."""
    translated = Markup(text)  # noqa: S704  # no user's text
    if not values:
        return nodes.Const(translated % {}, lineno=line)
    pairs = [nodes.Pair(nodes.Const(each.key), each.value) for each in values]
    return nodes.Mod(nodes.Const(translated), nodes.Dict(pairs), lineno=line)


_PLACE: Final = re.compile(r"%\((\w+)\)s")


def _pieces(expression: nodes.Expr) -> list[nodes.Expr]:
    """What `_filled_in` made, apart; anything else stays whole."""
    match expression:
        case nodes.Mod(left=nodes.Const(value=Markup() as text), right=nodes.Dict(items=pairs)):
            given = {pair.key.as_const(): pair.value for pair in pairs}
            constant, places = [*_PLACE.split(text)[::2]], _PLACE.findall(text)
            if "%" in "".join(constant).replace("%%", "") or not given.keys() >= set(places):
                return [expression]
            found: list[nodes.Expr] = []
            for before, place in zip_longest(constant, places):
                found.append(nodes.TemplateData(before.replace("%%", "%"), lineno=expression.lineno))
                if place is not None:
                    found.append(given[place])
            return found
        case _:
            return [expression]


def _has_two_forms(texts: NullTranslations) -> bool:
    """One, and every other number: so it is in Dutch and English. A language with more is looked up at run time."""
    plural = getattr(texts, "plural", None)
    return plural is None or all(plural(number) == (number != 1) for number in range(200))
