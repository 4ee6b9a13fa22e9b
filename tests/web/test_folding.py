"""Templates mean the same after folding as Jinja makes of them by itself."""

from gettext import NullTranslations
from typing import Any

import pytest
from jinja2 import DictLoader, Environment, StrictUndefined, UndefinedError
from markupsafe import Markup

from app.web.folding import OneLanguageEnvironment

TEMPLATES = {
    "row.html": "[{{ sep }}{{ word }}{% set sep = '!' %}{{ sep }}]",
    "rows.html": "{% for word in words %}{{ loop.index }}{% include 'row.html' %}{{ sep }}{% endfor %}",
    "nested.html": "<{% include 'rows.html' %}>",
    "tree.html": "({{ node.name }}{% for node in node.parts %}{% include 'tree.html' %}{% endfor %})",
    "in_macro.html": "{% macro box(word, sep) %}{% include 'row.html' %}{% endmacro %}{{ box('a', 1) }}",
    "whole.html": "{% block part %}{{ sep }}{% endblock %}",
    "other.html": "{% for sep in words %}{% include 'whole.html' %}{% endfor %}",
    "text.html": "{{ _('%(who)s has 5%% of %(what)s', who=words[0], what=safe) }}{{ _('50%% done') }}",
    "texts.html": (
        "{% macro box(x) %}[{{ x }}]{% endmacro %}{% for word in words %}"
        "{{ _('%(a)s, %(b)s and %(a)s', a=word, b=box(_('%(c)s!', c=safe))) }}{{ _('%(n)03d of %(a)s', n=7, a=word) }}"
        "{{ box(_('for %(a)s', a=word)) }}{{ _('%(n)d%%', n=5) }}{{ loop.index }}{{ none }}{{ 7 }}{{ true }}"
        "{% endfor %}"
    ),
    "number.html": (
        "{% for n in [0, 1, 2, node.parts|length] %}"
        "{{ ngettext('%(num)s <b>file</b> of %(who)s', '%(num)s files of %(who)s', n, who=words[0]) }}"
        "{% set kept = ngettext('%(num)d file', '%(num)d files', n) %}{{ kept }}{{ sep if n else words[0] }}"
        "{{ sep if n }}{% endfor %}"
    ),
    "methods.html": (
        "{{ words.index('b') }}{{ node.get('name') }}{{ node.get('x', '<') }}{{ '-'.join(words) }}"
        "{% set found = [] %}{% for w in words %}{% set _ignored = found.append(w) %}{% endfor %}{{ found }}"
    ),
    "page.html": (
        "{% extends 'layout.html' %}{% block title %}{{ words[0] }}{% endblock %}"
        "{% block body %}{{ super() }}{% for word in words %}{{ word }}{% block inner scoped %}{{ word }}{% endblock %}"
        "{% endfor %}{% endblock %}"
    ),
    "layout.html": (
        "<{% block title required %}{% endblock %}|{{ self.title() }}|{% block body %}{{ sep }}{% endblock %}>"
    ),
    "error.html": "line 1\n{% include 'broken.html' %}",
    "broken.html": "a\nb\nc\n{{ nothing }}",
    "calls.html": (
        "{% from 'macros.html' import plain, with_caller as w %}{% macro twice(x) %}{{ x }}{{ x }}{% endmacro %}"
        "{% for word in words %}{{ plain(word) }}{{ twice(word) }}{% call w(word) %}{{ word }}{{ sep }}{% endcall %}"
        "{% call w(twice('<')) %}{{ loop.index }}{% endcall %}{% endfor %}{{ plain(*words) }}{{ plain(**{'a': 1}) }}"
        "{% macro given(x) %}{{ caller(x) }}{% endmacro %}{% call(x) given(words[0]) %}{{ x }}{% endcall %}"
        "{{ words|map('upper')|join(sep) }}{{ 1.5 }}{{ none }}{{ safe }}"
    ),
    "kept.html": (
        "{% macro kept_box(x, y='Y') %}[{{ x }}{{ y }}]{% endmacro %}"
        "{% for each in [safe, safe|string, '<i>safe</i>', 1, true, 1.0] %}{{ kept_box(each) }}{% endfor %}"
        "{{ kept_box(safe, y=sep) }}{{ kept_box(x=words[0]) }}{{ kept_box(words[0]) }}"
    ),
    "given.html": (
        "{% macro given(x) %}{{ caller(x) }}{{ varargs }}{% endmacro %}{% call(x) given('<', 2) %}{{ x }}{% endcall %}"
    ),
    "macros.html": (
        "{% macro plain(a, b='B', c=none) %}{{ a }}{{ b }}{{ c }}{% endmacro %}"
        "{% macro with_caller(a) %}{{ a }}{% if caller is defined %}{{ caller() }}{% endif %}{% endmacro %}"
    ),
}
VALUES = {
    "words": ["<a>", "b"],
    "sep": "-",
    "safe": Markup("<i>safe</i>"),
    "node": {"name": "1", "parts": [{"name": "2", "parts": []}, {"name": "3", "parts": []}]},
}


def an_environment(kind: type[Environment], **options: object) -> Environment:
    environment = kind(
        loader=DictLoader(TEMPLATES),
        extensions=["jinja2.ext.i18n"],
        autoescape=True,
        undefined=StrictUndefined,
        **options,  # type: ignore[arg-type]  # whatever Jinja takes
    )
    environment.texts = texts = NullTranslations()  # type: ignore[attr-defined]  # unknown to plain Jinja, and unused
    environment.install_gettext_translations(texts, newstyle=True)  # type: ignore[attr-defined]  # added by the extension
    return environment


@pytest.fixture
def folding() -> Environment:
    return an_environment(OneLanguageEnvironment, auto_reload=False)


@pytest.mark.parametrize(
    "name",
    [
        "rows.html",
        "nested.html",
        "tree.html",
        "in_macro.html",
        "other.html",
        "text.html",
        "texts.html",
        "number.html",
        "methods.html",
        "page.html",
        "calls.html",
        "kept.html",
        "given.html",
    ],
)
def test_folded_template_gives_the_same(folding: Environment, name: str):
    plain = an_environment(Environment).get_template(name).render(VALUES)

    assert folding.get_template(name).render(VALUES) == plain


def test_macro_whose_name_says_so_is_rendered_once_for_the_same_arguments(folding: Environment):
    found: list[str] = []

    def seen(text: str) -> str:
        found.append(text)
        return text

    page = folding.from_string(
        "{% macro kept_box(x) %}{{ seen(x) }}{% endmacro %}{% macro box(x) %}{{ seen(x) }}{% endmacro %}"
        "{% for each in ['a', 'b', 'a'] %}{{ kept_box(each) }}{{ box(each) }}{% endfor %}"
    )

    assert page.render(seen=seen) == "aabbaa"
    assert found == ["a", "a", "b", "b", "a"]


def test_what_is_filled_in_is_escaped(folding: Environment):
    assert "&lt;a&gt; has 5% of <i>safe</i>" in folding.get_template("text.html").render(VALUES)


def test_language_with_more_forms_is_looked_up_while_rendering(folding: Environment):
    class ThreeForms(NullTranslations):
        plural = staticmethod(lambda number: 0 if number == 1 else 1 if number < 5 else 2)

        def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
            return f"form {self.plural(n)}"

    folding.texts = texts = ThreeForms()  # type: ignore[attr-defined]  # of our own environment
    folding.install_gettext_translations(texts, newstyle=True)  # type: ignore[attr-defined]  # added by the extension

    page = folding.from_string(
        "{% for n in [1, 2, 7] %}{{ ngettext('%(num)s file', '%(num)s files', n) }},{% endfor %}"
    )

    assert page.render() == "form 0,form 1,form 2,"


def test_error_in_an_include_names_the_line_that_includes(folding: Environment):
    with pytest.raises(UndefinedError) as error:
        folding.get_template("error.html").render()

    in_template = [entry.lineno + 1 for entry in error.traceback if str(entry.path) == "<template>"]
    assert in_template == [2]


def test_changed_include_is_noticed_while_reloading():
    templates = dict(TEMPLATES)
    environment = an_environment(OneLanguageEnvironment, auto_reload=True)
    environment.loader = DictLoader(templates)
    before = environment.get_template("nested.html").render(VALUES)
    templates["row.html"] = "new"

    assert environment.get_template("nested.html").render(VALUES) != before


def test_macro_takes_arguments_like_a_macro(folding: Environment):
    module: Any = folding.get_template("macros.html").module

    assert module.plain("<", c="C") == "&lt;BC"
    assert module.plain(b="1", a="2") == "21None"
    assert isinstance(module.plain("x"), Markup)
    assert module.with_caller("x") == "x"
    assert module.with_caller("x", caller=lambda: "y") == "xy"
    with pytest.raises(TypeError):
        module.plain("x", unknown="y")
    with pytest.raises(TypeError):
        module.plain("1", "2", "3", "4")
    with pytest.raises(UndefinedError):
        module.plain()
