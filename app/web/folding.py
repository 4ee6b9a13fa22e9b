"""Work done once, when a template is compiled, instead of at each use in each row.

Texts are looked up. An included template becomes part of the one that includes it: at run time an include copies all
variables, which costs more than most of our rows themselves.
"""

from __future__ import annotations

from gettext import NullTranslations
from typing import Final

from jinja2 import Environment, nodes
from jinja2.visitor import NodeTransformer
from markupsafe import Markup

from app.web.macros import MacroCompiler, as_function, html


class OneLanguageEnvironment(Environment):
    """Folds `_("…")` into its translation and `{% include "…" %}` into its content. Set `texts` before the first
    template. A template that was compiled does not notice a changed include, so reloading leaves includes as they are.
    """

    texts: NullTranslations
    code_generator_class = MacroCompiler
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

    def visit_Call(self, node: nodes.Call) -> nodes.Node:  # noqa: N802
        self.generic_visit(node)
        is_gettext = isinstance(node.node, nodes.Name) and node.node.name == "_"
        if not is_gettext or len(node.args) != 1 or node.dyn_args or node.dyn_kwargs:
            return node
        text = node.args[0]
        if not isinstance(text, nodes.Const):
            return node
        # As newstyle gettext does at run time: our texts are trusted, what is filled in gets escaped, %% is a per
        # cent sign.
        translated = Markup(self._environment.texts.gettext(text.value))  # noqa: S704  # no user's text
        if not node.kwargs:
            return nodes.Const(translated % {}, lineno=node.lineno)
        values = [nodes.Pair(nodes.Const(each.key), each.value, lineno=node.lineno) for each in node.kwargs]
        return nodes.Mod(nodes.Const(translated), nodes.Dict(values), lineno=node.lineno)
