"""Every sample letter through `process`, twice, into one database."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys

import pytest

from tests.end_to_end.installation import ROOT, SAMPLES

AT = "2026-11-22T12:00:00+03:00"
LETTERS = SAMPLES / "letters"


def run(config, *words: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "ingest", "--config", str(config), *words],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=150,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


def ingest(config, *words: str) -> list[dict]:
    return [json.loads(line) for line in run(config, *words).splitlines()]


@pytest.fixture(scope="module")
def database(tmp_path_factory):
    return tmp_path_factory.mktemp("corpus") / "ingest.db"


@pytest.fixture(scope="module")
def config(database):
    file = database.with_name("ingest.toml")
    file.write_text(f'[database]\nurl = "sqlite:///{database}"\n', encoding="utf-8")
    run(file, "migrate")
    registry = str(SAMPLES / "registry.csv")
    ingest(file, "registry", "import", "--with-passwords", "--json", registry)
    return file


@pytest.fixture(scope="module")
def first_run(config):
    return ingest(config, "process", str(LETTERS), "--at", AT, "--json")


def told(letter: dict) -> dict:
    return {
        "outcome": letter["outcome"],
        "entity": letter["entity"],
        "findings": sorted(item["code"] for item in letter["findings"]),
        "documents": [
            {
                "layout": document["layout"],
                "verdict": document["verdict"],
                "findings": sorted({item["code"] for item in document["findings"]}),
            }
            for document in letter["documents"]
        ],
    }


def documented(letter: dict) -> dict:
    path = LETTERS / letter["source"].replace(".eml", ".expected.json")
    expected = json.loads(path.read_text(encoding="utf-8"))
    return {
        "outcome": expected["outcome"],
        "entity": expected["entity"],
        "findings": sorted(expected["findings"]),
        "documents": [
            {**document, "findings": sorted(set(document["findings"]))}
            for document in expected["documents"]
        ],
    }


def counts(database) -> dict[str, int]:
    with sqlite3.connect(database) as connection:
        tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        return {
            name: connection.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0]
            for (name,) in tables.fetchall()
        }


@pytest.mark.timeout(300)
def test_every_letter_has_its_documented_outcome_findings_and_documents(first_run):
    assert len(first_run) >= 60
    assert [told(letter) for letter in first_run] == [documented(item) for item in first_run]


@pytest.mark.timeout(300)
def test_a_second_run_gives_duplicates_and_stores_nothing(config, database, first_run):
    before = counts(database)

    again = ingest(config, "process", str(LETTERS), "--at", AT, "--json")

    assert {letter["outcome"] for letter in again} == {"duplicate"}
    assert all(letter["documents"] == [] and letter["reply"] is None for letter in again)
    assert counts(database) == before
