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


def test_each_kind_of_file_is_told_once_with_its_names_and_the_rest_of_them_counted():
    photos = [attached(f"{n}.jpg", Why.PICTURE) for n in range(12)]
    inner = [attached("a.rar", Why.ARCHIVE, "b.zip"), attached("c.rar", Why.ARCHIVE)]
    found = no_documents([*photos, *inner])
    told = [sentence(one, "ru") for one in found]
    assert "«0.jpg», «1.jpg», " in told[0]
    assert "«9.jpg» и ещё 2 таких же — это изображение" in told[0]
    assert "«a.rar» из архива «b.zip» — архивы" in told[1]
    assert "«c.rar» — архивы" in told[2]


def test_harmless_files_are_not_blamed():
    (found,) = no_documents([attached("logo.png", Why.HARMLESS)])
    assert sentence(found, "ru").endswith("не нашлось документа с показаниями.")
