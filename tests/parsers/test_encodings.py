"""The encoding of an XML document: declared, marked, or told from its letters."""

import codecs

import pytest

from layouts.document import Document, Parsed
from layouts.findings import Code
from layouts.layout import load
from parsers import parse
from parsers.encodings import CYRILLIC, decode, likeliest

LAYOUTS = load()
NAME = "ООО 'Владимирский завод'"


def document(declaration: str) -> str:
    return (
        f'{declaration}\n<package class="52005" version="1" sender_code="200000003080" '
        f'sender_name="{NAME}" created="20261114193232">\n'
        '<consumption date_time="2026110100" energy="0.067"/>\n</package>\n'
    )


def declared(name: str) -> str:
    return f'<?xml version="1.0" encoding="{name}"?>'


BARE = '<?xml version="1.0"?>'


def read(content: bytes) -> Parsed:
    (parsed,) = parse(Document("x.xml", content), LAYOUTS)
    return parsed


@pytest.mark.parametrize(
    ("declaration", "encoding"),
    [
        (declared("windows-1251"), "cp1251"),
        (declared("WINDOWS-1251"), "cp1251"),
        (declared("koi8-r"), "koi8-r"),
        (declared("cp866"), "cp866"),
        (declared("ibm866"), "cp866"),
        (declared("UTF-8"), "utf-8"),
        (declared("utf-16"), "utf-16"),
        (BARE, "utf-8"),
        (BARE, "utf-8-sig"),
        (declared("windows-1251"), "utf-8-sig"),
        ("", "utf-8"),
        ("\n\n  " + declared("windows-1251"), "cp1251"),
    ],
)
def test_what_is_declared_or_marked_is_no_guess(declaration: str, encoding: str) -> None:
    parsed = read(document(declaration).encode(encoding))

    assert parsed.header.sender_name == NAME
    assert parsed.findings == ()


@pytest.mark.parametrize("mark", [codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE, b""])
@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf_16_is_known_with_its_mark_and_without(mark: bytes, encoding: str) -> None:
    marked = {"utf-16-le": codecs.BOM_UTF16_LE, "utf-16-be": codecs.BOM_UTF16_BE}[encoding]
    content = document(declared("utf-16")).encode(encoding)

    parsed = read(marked + content if mark else content)

    assert (parsed.header.sender_name, parsed.findings) == (NAME, ())


@pytest.mark.parametrize("encoding", ["cp1251", "koi8-r", "cp866"])
@pytest.mark.parametrize(
    "declaration",
    [
        BARE,
        "",
        "\n\n" + BARE,
        *map(declared, ("", " ", "utf-8", "utf-16", "windows-12510", "rot13", "hex", "x\\0y")),
    ],
)
def test_a_missing_or_wrong_declaration_is_made_up_from_the_letters(
    declaration: str, encoding: str
) -> None:
    parsed = read(document(declaration).encode(encoding))

    assert parsed.header.sender_name == NAME
    assert [found.code for found in parsed.findings] == [Code.ENCODING_GUESSED]
    assert len(parsed.series) == 1


@pytest.mark.parametrize("wrong", ["windows-1251", "koi8-r", "cp866", "iso-8859-1"])
@pytest.mark.parametrize("encoding", ["cp1251", "koi8-r", "cp866", "utf-8"])
def test_letters_that_contradict_a_declaration_win(wrong: str, encoding: str) -> None:
    if codecs.lookup(wrong).name == encoding:
        return
    parsed = read(document(declared(wrong)).encode(encoding))

    assert parsed.header.sender_name == NAME
    (found,) = parsed.findings
    assert (found.code, found.seen) == (Code.ENCODING_GUESSED, wrong)


NAMES = pytest.mark.parametrize(
    "name",
    [
        "ИП Соколова",
        "АО «Владимирский завод»",
        "ООО",
        "ЗАО ПРОМЭНЕРГО",
        "МУП Водоканал",
        "Щёкинское ЖКХ",
        "завод",
    ],
)


@NAMES
@pytest.mark.parametrize("encoding", ["windows-1251", "koi8-r", "cp866"])
def test_a_declared_encoding_stands_for_ordinary_names(name: str, encoding: str) -> None:
    name = name if encoding == "windows-1251" else name.replace("«", "'").replace("»", "'")
    text = document(declared(encoding)).replace(NAME, name)

    decoded = decode(text.encode(encoding))

    assert decoded is not None
    assert (decoded.text, decoded.guessed) == (text, False)


@NAMES
@pytest.mark.parametrize("encoding", ["koi8-r", "cp866"])
def test_a_wrong_declaration_of_ordinary_names_is_seen(name: str, encoding: str) -> None:
    text = document(declared("windows-1251")).replace(NAME, name.strip("«»"))
    text = text.replace("«", "'").replace("»", "'")

    decoded = decode(text.encode(encoding))

    assert decoded is not None
    assert (decoded.text, decoded.guessed) == (text, True)


def test_plain_latin_text_needs_no_guess_whatever_is_declared() -> None:
    text = document(declared("utf-16")).replace(NAME, "OOO Primer")

    assert read(text.encode("ascii")).findings == ()


def test_a_guess_is_told_with_what_was_declared_and_what_was_taken() -> None:
    (found,) = read(document(declared("utf-8")).encode("cp1251")).findings

    assert (found.seen, found.place.line) == ("utf-8", 1)
    assert found.detail["encoding"] == "windows-1251"


@pytest.mark.parametrize(
    "content", [b"<a>\x00</a>", b"\xff\xfe<\0\xff", b"\xef\xbb\xbf<a>\xff</a>"]
)
def test_bytes_that_are_no_text_are_no_document(content: bytes) -> None:
    assert decode(content) is None


WORDS = (
    "Показания",
    "Пароль",
    "ромашка",
    "Добрый",
    "посёлок",
    "Яблоневый",
    "ЭНЕРГОСНАБЖЕНИЕ",
    "счётчиков",
    "договор",
)
IN_MAIL = ("cp1251", "koi8_r", "cp866", "mac_cyrillic", "iso8859_5")


@pytest.mark.parametrize("charset", IN_MAIL)
@pytest.mark.parametrize("word", WORDS)
def test_one_russian_word_tells_its_charset(word: str, charset: str) -> None:
    content = f"2026-11 {word}.txt".encode(charset)
    assert content.decode(likeliest(content, IN_MAIL)[0]) == f"2026-11 {word}.txt"


UNKNOWN = ("windows-12510", "utf-16", "utf-32", "rot13", "hex")
AS_TOLD = {"cp1251": "windows-1251"}


@pytest.mark.parametrize("ending", ["", " "])
@pytest.mark.parametrize("wrong", ["", *UNKNOWN])
@pytest.mark.parametrize("encoding", ["utf-8", "cp1251", "koi8-r", "cp866"])
def test_a_declaration_that_fits_no_bytes_is_told_whatever_their_number(encoding, wrong, ending):
    text = document(declared(wrong)) + ending + "<!-- -->"
    found = decode(text.encode(encoding))
    assert found is not None
    assert found.text.rstrip() == text.rstrip()
    # Nothing declared is UTF-8, as XML says.
    is_as_stated = encoding == "utf-8" and not wrong
    assert (found.encoding, found.declared, found.guessed) == (
        AS_TOLD.get(encoding, encoding), wrong, not is_as_stated
    )  # fmt: skip


SHORT = (
    *("ТП", "РП", "ПС", "ИП", "МУП", "ЦТП", "ТСЖ", "ЖКХ", "ЩУ", "кВт", "куб", "ул", "яч", "г"),
    *("П", "Э", "я", "ф", "Ночь", "День", "ввод", "квар"),
)


@pytest.mark.parametrize("word", SHORT)
@pytest.mark.parametrize("encoding", ["cp1251", "koi8-r", "cp866"])
def test_a_declared_encoding_stands_for_the_shortest_words(encoding, word):
    text = f"{declared(encoding)}<a>{word}-1</a>\n"
    found = decode(text.encode(encoding))
    assert (found.text, found.guessed) == (text, False)


@pytest.mark.parametrize("end", ["\0", "\x1a", " \t\r\n", "\0\0\x1a"])
def test_what_programs_leave_behind_the_end_is_cut_off(end):
    found = decode(f"<a>я</a>{end}".encode())
    assert (found.text, found.encoding) == ("<a>я</a>\n", "utf-8")
    assert (decode(f"<a>{end}я</a>".encode()) is None) is ("\0" in end)


def test_letters_are_looked_for_where_they_begin_and_of_equals_the_first_one_wins():
    far = b"<a>" + b"0" * 40_000 + "Показания завода".encode("koi8-r")
    assert likeliest(far, CYRILLIC)[0] == "koi8-r"
    late = b"<a>\xd0" + b"0" * 40_000 + "Показания завода".encode("koi8-r")
    # Beyond what is looked at nothing tells.
    assert likeliest(late, CYRILLIC) == likeliest(late[:5], CYRILLIC)
    assert likeliest(b"1", CYRILLIC) == list(CYRILLIC)
    assert likeliest(b"1", CYRILLIC[::-1]) == list(CYRILLIC[::-1])


@pytest.mark.parametrize(("sample", "first"), [(4, "cp1251"), (5, "koi8-r"), (99, "koi8-r")])
def test_words_are_looked_at_until_they_are_as_long_as_asked(sample, first):
    content = "завод ".encode("cp1251") + "показания приборов учёта".encode("koi8-r")
    assert likeliest(content, CYRILLIC, sample=sample)[0] == first
