"""`ingest check --json` on every sample gives the file that stands beside it."""

import json
from pathlib import Path

import pytest

from ingest.verbs import main as cli

SAMPLES = Path(__file__).parents[3] / "samples"
EXPECTED = ".expected.json"
DOCUMENTS = sorted(
    path
    for path in SAMPLES.glob("*/*")
    if path.parent.name not in {"letters", "__pycache__"}
    and path.suffix != ".json"
    and path.is_file()
)


def expectation(document: Path) -> Path:
    return document.with_name(document.name + EXPECTED)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_check_gives_what_stands_beside_the_sample(document, capsys, tmp_path, monkeypatch):
    # Away from any ingest.toml of a developer's.
    monkeypatch.chdir(tmp_path)
    code = cli.cli.main(["check", "--json", str(document)], standalone_mode=False)

    told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    for item in told:
        for found in item["findings"]:
            assert found.pop("message")
    assert told == json.loads(expectation(document).read_text(encoding="utf-8"))
    verdicts = {item["verdict"] for item in told}
    assert code == (2 if "unreadable" in verdicts else 0 if verdicts == {"accepted"} else 1)


def test_no_expectation_stands_alone():
    beside = {expectation(document) for document in DOCUMENTS}
    alone = [p for p in SAMPLES.glob(f"*/*{EXPECTED}") if p.parent.name != "letters"]
    assert beside == set(alone)
