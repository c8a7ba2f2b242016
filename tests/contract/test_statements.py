"""Every named statement is one that the database takes, as an operator would explain it."""

from __future__ import annotations

import re

import pytest

from storage.statements import matters, texts


@pytest.mark.parametrize("matter", matters())
def test_every_statement_can_be_explained(ledger, matter):
    with ledger.reading() as store:
        driver = store.session.driver
        for text in texts(matter, is_postgresql=driver.is_postgresql).values():
            if driver.is_postgresql:
                asked = re.sub(r"^COPY (\w+) \((.*)\) FROM STDIN$", r"SELECT \2 FROM \1", text)
                asked = re.sub(r"%\((\w+)\)s", _numbered(asked), asked)
                plan = driver.raw.execute(f"EXPLAIN (GENERIC_PLAN) {asked}", prepare=False)
                assert plan.fetchone() is not None
            else:
                assert driver.raw.execute(f"EXPLAIN {text}", _nulls(text)).fetchone() is not None


def _numbered(text):
    """Parameters as PREPARE has them."""
    names = list(dict.fromkeys(re.findall(r"%\((\w+)\)s", text)))
    return lambda match: f"${names.index(match[1]) + 1}"


def _nulls(text):
    if "?" in text:
        return [None] * text.count("?")
    return dict.fromkeys(re.findall(r"(?<![:\w]):(\w+)", text))
