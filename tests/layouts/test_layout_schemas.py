"""The schemas agree with what the readers accept."""

import json
from pathlib import Path

import pytest
from lxml import etree

ROOT = Path(__file__).parents[2]

# Read all the same, though a schema cannot allow them.
LENIENT = {"decimal-comma", "encoding-guessed"}


def samples(*, accepted: bool) -> list[Path]:
    found = []
    for beside in sorted(ROOT.glob("samples/[0-9]*/*.xml.expected.json")):
        (result,) = json.loads(beside.read_text("utf-8"))
        codes = {item["code"] for item in result["findings"]}
        fits = result["verdict"] == "accepted" and not codes & LENIENT
        if fits == accepted and result["layout"] and not codes & LENIENT:
            found.append(beside.with_name(beside.name.removesuffix(".expected.json")))
    return found


def schema(sample: Path) -> etree.XMLSchema:
    return etree.XMLSchema(etree.parse(ROOT / "layouts" / f"{sample.parent.name}.xsd"))


@pytest.mark.parametrize("sample", samples(accepted=True), ids=lambda sample: sample.name)
def test_a_schema_takes_every_accepted_document(sample: Path) -> None:
    # What stands behind the end is cut off before a parser of XML sees it.
    content = sample.read_bytes().rstrip(b"\0\x1a \r\n")
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        content = sample.read_bytes()
    schema(sample).assertValid(etree.fromstring(content).getroottree())


@pytest.mark.parametrize("number", ["52005", "52006", "80020"])
def test_a_schema_refuses_mistakes_of_form(number: str) -> None:
    sample = ROOT / "samples" / number / "mistakes.xml"

    assert not schema(sample).validate(etree.parse(sample))
