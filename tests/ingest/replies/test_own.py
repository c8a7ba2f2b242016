"""The retailer's own signature and texts, and what is said when they cannot be used."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from email import message_from_bytes
from pathlib import Path
from tempfile import TemporaryDirectory

import hypothesis
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.replies.answers import STRANGERS_MOST_BYTES, refusal, reply
from ingest.replies.message import ReplySettings
from ingest.replies.own import OwnTextsError, Signature, read_signature, read_texts
from ingest.replies.texts import advice
from ingest.replies.wording import built_in, catalogue, use_texts, wording
from layouts.findings import Code, finding
from layouts.terms import LANGUAGES
from storage.records.replies import OwedReply
from tests.ingest.replies.cases import ENTITY, LETTER, NOW, accepted_receipt, settings

SIGNATURE = Signature("АО «Энерго»", "8 800 000-00-00", "пн–пт 9–18", "Улица, 1\n<b>&</b>")


@pytest.fixture(autouse=True)
def built_in_texts() -> Iterator[None]:
    yield
    use_texts({})


def own(folder: Path, **texts: str) -> Path:
    for name, text in texts.items():
        (folder / f"{name.replace('_', '.')}.toml").write_text(text, encoding="utf-8")
    return folder


def accepted(how: ReplySettings) -> OwedReply:
    return reply(LETTER, ENTITY, [accepted_receipt()], NOW, how, letter_number=1)


def bodies(reply: OwedReply) -> list[str]:
    parts = message_from_bytes(reply.content).walk()
    leaves = [part for part in parts if part.get_content_maintype() == "text"]
    return [leaf.get_payload(decode=True).decode(leaf.get_content_charset()) for leaf in leaves]


def test_a_signature_stands_under_a_reply_in_text_and_in_html() -> None:
    text, html = bodies(accepted(replace(settings(), signature=SIGNATURE)))
    below = "АО «Энерго»\r\nТелефон: 8 800 000-00-00, пн–пт 9–18\r\nУлица, 1\r\n<b>&</b>"
    assert text.rstrip().endswith(f"\r\n-- \r\n{below}")
    assert "<br>&lt;b&gt;&amp;&lt;/b&gt;</p>" in html


def test_without_a_signature_there_is_no_line_for_one() -> None:
    text, _ = bodies(accepted(settings()))
    assert "-- " not in text


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_stranger_gets_no_signature_and_a_short_mail(language: str) -> None:
    long = replace(settings(language), signature=replace(SIGNATURE, text="слово " * 160))
    told = refusal(
        LETTER, [finding(Code.CREDENTIALS_WRONG)], NOW, long, letter_number=1, is_to_stranger=True
    )
    assert len(told.content) < STRANGERS_MOST_BYTES
    assert "слово" not in "".join(bodies(told))


def test_a_text_of_the_retailers_own_takes_the_place_of_ours_and_only_of_that(
    tmp_path: Path,
) -> None:
    before = catalogue("words", "ru"), advice(Code.SPIKE, "ru")
    use_texts(read_texts(own(
        tmp_path,
        words_ru='[say]\nautomatic = "Это письмо составила программа."\n',
        findings_ru='[credentials-wrong]\nadvice = "Позвоните в [ООО {seen}] контору."\n',
    )))  # fmt: skip
    assert wording("ru").say("automatic") == "Это письмо составила программа."
    assert wording("ru").say("received", moment="1") == before[0]["say"]["received"].format(
        moment="1"
    )
    assert wording("en").words == built_in("words", "en")
    assert "Позвоните" in advice(Code.CREDENTIALS_WRONG, "ru")
    assert advice(Code.SPIKE, "ru") == before[1]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[say\n", "at line 1"),
        ('[sey]\nautomatic = "x"\n', r"\[sey\]: there is no such group"),
        ('say = "x"\n', r"\[say\]: there is no such group"),
        ('[say]\nautomatisch = "x"\n', "automatisch: there is no such text"),
        ("[say]\nautomatic = 7\n", "automatic: a text is needed"),
        ('[say]\nautomatic = " "\n', "automatic: a text is needed"),
        ('[say]\nautomatic = "a\\nb"\n', "automatic: it must be one line"),
        ('[say]\nautomatic = "{name"\n', "braces"),
        ('[say]\nreceived = "{when}"\n', r"\{when\} is no value of it; there are: \{moment\}"),
        ('[say]\nreceived = "{moment.__class__}"\n', "is no value of it"),
        ('[say]\nreceived = "{moment!r}"\n', "is no value of it"),
        ('[say]\nreceived = "{moment:>99999999}"\n', "is no value of it"),
        ('[say]\nreceived = "{}"\n', "is no value of it"),
        ('[writing]\ndecimal = "."\n', r"\[writing\]: these are no texts"),
        (f'[verdict]\naccepted = "{"x" * 151}"\n', "151 characters; 150 are allowed"),
    ],
)
def test_a_text_that_cannot_be_used_is_told_with_its_file_and_key(
    tmp_path: Path, text: str, told: str
) -> None:
    with pytest.raises(OwnTextsError, match=rf"words\.ru\.toml: .*{told}"):
        read_texts(own(tmp_path, words_ru=text))


def test_all_mistakes_of_all_files_are_told_at_once(tmp_path: Path) -> None:
    own(tmp_path, words_ru='[say]\nx = "1"\ny = "2"\n', findings_en='[spike]\ntitle = "[{seen}"\n')
    (tmp_path / "words.de.toml").write_text("", encoding="utf-8")
    (tmp_path / "findings.ru.toml").write_bytes(b"\xff")
    with pytest.raises(OwnTextsError) as fault:
        read_texts(tmp_path)
    told = str(fault.value).splitlines()
    assert len(told) == 5
    assert {line.split(": ")[0].rpartition("/")[2].split(" ")[0] for line in told} == {
        "words.ru.toml", "words.de.toml", "findings.ru.toml", "findings.en.toml",
    }  # fmt: skip


def test_other_files_of_the_folder_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "README.txt").write_bytes(b"\xff")
    assert read_texts(tmp_path) == {}


@given(st.text(st.sampled_from("{}[]%<>&\\\"'\n\0я") | st.characters(), max_size=40))
@hypothesis.settings(max_examples=40)
def test_any_text_is_refused_or_can_be_told(text: str) -> None:
    with TemporaryDirectory() as folder:
        try:
            line = f"[say]\nreceived = {json.dumps(text)}\n"
            use_texts(read_texts(own(Path(folder), words_ru=line)))
        except (OwnTextsError, UnicodeEncodeError):
            return
    assert wording("ru").say("received", moment="1")


@pytest.mark.parametrize("content", [b"\xff", b"a\x00b", b"x" * 1001, None])
def test_a_signature_that_cannot_stand_under_a_reply_is_refused(
    tmp_path: Path, content: bytes | None
) -> None:
    path = tmp_path / "signature.txt"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(OwnTextsError, match=r"signature\.txt"):
        read_signature(path)
