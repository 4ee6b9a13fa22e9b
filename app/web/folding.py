"""Texts looked up once, when a template is compiled, instead of at each use in each row."""

from __future__ import annotations

from gettext import NullTranslations
from typing import Final

from jinja2 import Environment, nodes
from jinja2.visitor import NodeTransformer
from markupsafe import Markup


class OneLanguageEnvironment(Environment):
    """Folds `_("…")` without places to fill in into its translation. Set `texts` before the first template."""

    texts: NullTranslations

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        template: nodes.Template = _Folding(self.texts).visit(super()._parse(source, name, filename))
        return template


class _Folding(NodeTransformer):
    def __init__(self, texts: NullTranslations) -> None:
        self._texts: Final = texts

    def visit_Call(self, node: nodes.Call) -> nodes.Node:  # noqa: N802  # the visitor calls it by the node's name
        self.generic_visit(node)
        is_gettext = isinstance(node.node, nodes.Name) and node.node.name == "_"
        if not is_gettext or len(node.args) != 1 or node.kwargs or node.dyn_args or node.dyn_kwargs:
            return node
        text = node.args[0]
        if not isinstance(text, nodes.Const):
            return node
        # As newstyle gettext does at run time: our texts are trusted, and %% is a per cent sign.
        translated = Markup(self._texts.gettext(text.value)) % {}  # noqa: S704  # no user's text
        return nodes.Const(translated, lineno=node.lineno)
