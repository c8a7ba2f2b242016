"""The pages' texts: both languages say everything, and nothing is asked for that is not there."""

import ast
import inspect
import re
import textwrap

import pytest

from ingest.intake import authenticate, gate
from ingest.intake.policy import Policy
from ingest.web.words import TEMPLATES, words
from layouts.terms import LANGUAGES

TEXTS = {path.name: path.read_text(encoding="utf-8") for path in TEMPLATES.glob("*.html")}


def test_every_language_has_the_same_keys():
    keys = [
        {(section, key) for section, texts in words(language).texts.items() for key in texts}
        for language in LANGUAGES
    ]

    assert keys[0] == keys[1]


@pytest.mark.parametrize("name", TEXTS)
def test_every_text_that_a_template_names_is_there(name):
    for key in re.findall(r"""\bt\(["']([\w.]+)["'](?! ~)""", TEXTS[name]):
        assert words("ru")(key) if "{" not in words("ru")(key) else key


@pytest.mark.parametrize("name", TEXTS)
def test_templates_have_no_words_of_their_own(name):
    bare = re.sub(r"\{%.*?%\}|\{\{.*?\}\}|<[^>]*>", "", TEXTS[name], flags=re.DOTALL)

    assert not re.search(r"[A-Za-zА-Яа-яЁё]{2,}", bare)


@pytest.mark.parametrize("name", TEXTS)
def test_no_template_carries_styles_scripts_or_unescaped_values(name):
    assert not re.search(r"\sstyle=|\son\w+=|\|\s*safe|<script(?! src)", TEXTS[name])


def returned(*functions):
    """The texts that functions return, of those with values in them the beginning."""
    for function in functions:
        for node in ast.walk(ast.parse(textwrap.dedent(inspect.getsource(function)))):
            for said in ast.walk(node.value) if isinstance(node, ast.Return) and node.value else ():
                if isinstance(said, ast.Constant) and isinstance(said.value, str) and said.value:
                    yield said.value


def test_every_reason_of_the_ledger_has_its_words():
    said = {*returned(gate._never, gate._by_machine, Policy.too_many, authenticate.why_not)}
    said |= {*authenticate._TRUTHS.values(), "mailing list", "no address to answer to"}
    assert len(said) > 20

    for language in LANGUAGES:
        assert [text for text in said if not words(language).reason(text)] == []
    assert words("ru").reason("bounce of the reply to letter 7: 550") == "наш ответ не дошёл"
