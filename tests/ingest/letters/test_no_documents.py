"""A letter without a document is told why each kind of its files was not read."""

from ingest.letters.terms import Attachment
from ingest.letters.unread import Why, no_documents
from ingest.replies.texts import sentence
from layouts.findings import Code


def attached(name: str, why: Why, container: str | None = None) -> Attachment:
    return Attachment(name, "application/octet-stream", 10, why.value, container)


def test_a_saved_letter_alone_is_named_with_what_to_do():
    (found,) = no_documents([attached("Показания.msg", Why.OUTLOOK)])
    assert found.code is Code.NO_DOCUMENTS
    told = sentence(found, "ru")
    assert "«Показания.msg»" in told
    assert "вложите сами файлы из него" in told


def test_each_kind_of_file_is_told_once_and_the_rest_of_it_counted():
    photos = [attached(f"{n}.jpg", Why.PICTURE) for n in range(3)]
    found = no_documents([*photos, attached("a.rar", Why.ARCHIVE, "b.zip")])
    assert [one.detail["name"] for one in found] == ["0.jpg", "a.rar"]
    assert "и ещё 2 таких же" in sentence(found[0], "ru")
    assert "из архива «b.zip»" in sentence(found[1], "ru")


def test_harmless_files_are_not_blamed():
    (found,) = no_documents([attached("logo.png", Why.HARMLESS)])
    assert sentence(found, "ru").endswith("не нашлось документа с показаниями.")
