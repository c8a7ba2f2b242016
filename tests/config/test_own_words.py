"""The retailer's own signature and texts, from the configuration to a reply."""

from pathlib import Path

import pytest

from config.settings import SettingsError
from ingest.replies.texts import title
from ingest.replies.wording import use_texts, wording
from ingest.wiring.service import Service, service_of
from layouts.findings import Code


@pytest.fixture(autouse=True)
def built_in_texts():
    yield
    use_texts({})


def service(tmp_path: Path, text: str) -> Service:
    file = tmp_path / "ingest.toml"
    file.write_text(f'[database]\nurl = "sqlite:///{tmp_path}/i.db"\n[replies]\n{text}', "utf-8")
    return service_of(file)


def test_name_phone_hours_and_file_are_the_signature_of_replies_and_pages(tmp_path):
    (tmp_path / "below.txt").write_text("Адрес\n\nСайт\n", encoding="utf-8")
    made = service(
        tmp_path,
        'organisation = "АО"\nphone = "8 800"\nhours = "9-18"\n'
        f'signature_file = "{tmp_path}/below.txt"\n',
    )
    made.ledger.migrate()
    lines = ("АО", "Телефон: 8 800, 9-18", "Адрес", "Сайт")
    assert made.policy.replies.signature.lines(wording("ru")) == lines
    assert made.signature is made.policy.replies.signature


def test_a_signature_s_file_that_is_not_there_is_told_with_its_key(tmp_path):
    made = service(tmp_path, 'signature_file = "/nowhere/below.txt"\n')
    with pytest.raises(SettingsError, match=r"replies\.signature_file: /nowhere/below\.txt cannot"):
        _ = made.signature


def test_a_mistake_in_own_texts_is_told_before_anything_starts(tmp_path):
    (tmp_path / "words.ru.toml").write_text('[say]\nx = "1"\ny = "2"\n', encoding="utf-8")
    with pytest.raises(SettingsError, match=r"(?s)replies\.texts: .*\] x: .*\n.*\] y: "):
        service(tmp_path, f'texts = "{tmp_path}"\n')
    assert wording("ru").say("where")


def test_own_texts_are_told_by_the_verbs(tmp_path):
    (tmp_path / "texts").mkdir()
    text = f'[{Code.SPIKE}]\ntitle = "Скачок по-нашему"\n'
    (tmp_path / "texts" / "findings.ru.toml").write_text(text, encoding="utf-8")
    service(tmp_path, f'texts = "{tmp_path}/texts"\n')
    assert title(Code.SPIKE, "ru") == "Скачок по-нашему"
