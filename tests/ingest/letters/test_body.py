"""A body's text as its sender wrote it: markup, quotes, and documents pasted into it."""

import pytest

from ingest.letters.body import cut_xml, html_text, own_text, plain_text, storages

LINK = "https://disk.yandex.ru/i/AbCd"


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("<p>a</p><p>b</p>", "a\nb"), ("a<br>b", "a\nb"), ("a <i>b</i> c", "a b c"),
        ("<table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table>", "a\tb\t\nc\t"),
        ("<ul><li>a<li>b</ul>", "a\nb"), ("a\n\n b\tc", "a b c"), ("a&nbsp;b", "a b"),
        ("<title>x</title><body>a", "a"), ("<p>a<script>x</script>b</p>", "ab"),
        ("a<!-- x -->b", "ab"), ("<style>p{}</style>tail", "tail"),
        ("<div class='gmail_quote x'>q</div>a", ">q\na"), ("<div class='x'>q</div>a", "q\na"),
        ("<span class='gmail_quote'>q<p>r</p></span>a", "q\nr\na"),
        ("<blockquote>q<p>r</p></blockquote>a", ">q\n>r\n>\na"),
        ("<div>a<div class=gmail_quote>q<blockquote>r</blockquote>s</div>b</div>",
         "a\n>q\n>r\n>s\nb"),
        (f"<a href='{LINK}'>книга</a> z", f"{LINK} книга z"), ("<a>y</a>", "y"),
        ("<a href='https://x.example/i/AbCd'>y</a>", "y"), (f"<b href='{LINK}'>y</b>", "y"),
        ("<?xml version='1.0' encoding='koi8-r'?>ж", "ж"), ("", ""),
    ],
)  # fmt: skip
def test_markup_is_lines_of_text(markup, text):
    assert html_text(markup.encode(), "utf-8") == text


@pytest.mark.parametrize("charset", ["koi8-r", "cp866", "iso-8859-5", "mac-cyrillic"])
def test_a_charset_that_the_page_names_counts_where_the_letter_names_none(charset):
    page = b"<meta charset=" + charset.encode() + b"><p>" + "ё".encode(charset)
    assert html_text(page, "") == "ё"
    assert html_text(page, "cp1251") == "ё".encode(charset).decode("cp1251").strip("\xa0")
    # A page names it within its first bytes.
    for before, is_seen in ((2048 - len("charset=") - len(charset), True), (2048, False)):
        late = page.replace(b"<meta ", b"<meta a='" + b"x" * (before - 9 - 7) + b"' ")
        assert (html_text(late, "") == "ё") is is_seen


@pytest.mark.parametrize("length", [2**18 - 1, 2**18, 2**18 + 1])
def test_so_many_characters_of_a_body_are_read(length):
    for sign in ("x", "ж", "\U0001f4a1"):
        assert plain_text((sign * length).encode(), "utf-8") == sign * min(length, 2**18)


def test_so_many_bytes_of_markup_are_read():
    whole = b"<!--" + b"x" * (2**20 - 13) + b"--><p>end"
    assert html_text(whole, "utf-8") == "end"
    assert html_text(b" " + whole, "utf-8") == "en"


@pytest.mark.parametrize("is_html", [False, True])
def test_a_link_to_a_storage_may_be_all_that_a_body_says(is_html):
    assert storages(LINK.encode(), "", is_html=is_html) == ["disk.yandex.ru"]
    assert storages(LINK.upper().encode(), "", is_html=is_html) == ["disk.yandex.ru"]
    assert storages(LINK[:-5].encode(), "", is_html=is_html) == []
    # What the markup's bound cuts off is looked for no further.
    at = 2**20 - len(LINK)
    assert storages(b" " * at + LINK.encode(), "", is_html=is_html) == ["disk.yandex.ru"][:is_html]


BLOCK = "От: x\nКому: y\nТема: z"
LINE = "_" * 10


@pytest.mark.parametrize(
    ("text", "own"),
    [
        ("a\nb", "a\nb"), ("a\n> b\n|> c\nd", "a\nd"), ("> b\n|> c", "b\nc"), ("-\n> b", "-\nb"),
        (f"a\n{BLOCK}\nb", "a"), (f"a\n{LINE}\n{BLOCK}\nb", "a"), (f"a\n{LINE}\nb", None),
        (f"a\n{LINE[1:]}\n{BLOCK}", f"a\n{LINE[1:]}"), (f"a\n{LINE}", None),
        (f"a\n {BLOCK}", "a"), ("a\n--- Original Message ---\nb", "a"),
        ("a\n -- Исходное сообщение\nb", "a"), ("a\n-- Исходное сообщение: b", None),
        ("a\nОт: x\nКому: y", None), ("a\nОт: x\nb\nКому: y\nc\nТема: z", "a"),
        ("a\nОт: x\nb\nКому: y\nc\nd\nТема: z", None), ("a\nОт: x", None),
        ("a\nКому: y\nТема: z", None), ("a\nОт:\nКому: y\nТема: z", None), (f"{BLOCK}\nb", None),
    ],
)  # fmt: skip
def test_what_a_sender_wrote_ends_where_an_earlier_letter_begins(text, own):
    assert own_text(text) == (text if own is None else own)


XML = '<package class="1"><a b="c"/></package>'
DECLARED = f'<?xml version="1.0"?>{XML}'


@pytest.mark.parametrize(
    ("text", "is_whole"),
    [
        (DECLARED, True), (f"\n {DECLARED}\r\n", True), (f"\ufeff{DECLARED}", True), (XML, False),
        (f"a {DECLARED}", False), (f"{DECLARED} b", False), (DECLARED + DECLARED, False),
        (DECLARED + XML, False), ('<?xml version="1.0"?><a b="c">', True),
        ('<?xml version="1.0"?>', True),
    ],
)  # fmt: skip
def test_a_body_that_is_one_document_is_it_byte_for_byte(text, is_whole):
    found = cut_xml(text.encode(), "koi8-r", is_html=False)
    assert (found is not None and (found.documents, found.rest) == ((text.encode(),), b"")) is (
        is_whole
    )


@pytest.mark.parametrize(
    ("text", "documents", "rest"),
    [
        (XML, [XML], "\n"), (f"ab\n{XML}cd", [XML], "ab\n\ncd"), (f"\n  {XML}", [XML], "\n\n"),
        (f"ab{XML}", None, ""), (f"a < b\n{XML}", [XML], "a < b\n\n"), ("<a", None, ""),
        (f"{XML}\n{XML}", [XML, XML], "\n\n\n"), ("<x b='c'>d", ["<x b='c'>d"], "\n"),
        (f"{DECLARED}\n{DECLARED}", [XML, XML], "\n\n\n"), ("<p b='c'>d</p>", None, ""),
        (f"a\n{BLOCK}\n{XML}", None, ""), (f"{BLOCK}\n{XML}", [XML], f"{BLOCK}\n\n"),
        (f"{XML}\n{BLOCK}\n{XML}", [XML], f"\n\n{BLOCK}\n{XML}"), ("< b\nc", None, ""),
        (f"{XML}\na\n{XML}", [XML, XML], "\n\na\n\n"),
    ],
)  # fmt: skip
def test_documents_are_cut_out_and_what_is_around_them_stays(text, documents, rest):
    found = cut_xml(text.encode(), "utf-8", is_html=False)
    if documents is None:
        assert found is None
    else:
        assert [one.decode().strip() for one in found.documents] == documents
        assert found.rest.decode() == rest


def test_so_many_documents_of_a_body_are_cut_out():
    found = cut_xml("\n".join(["a", *[XML] * 101]).encode(), "", is_html=False)
    assert len(found.documents) == 100
    declared = cut_xml("\n".join(["a", *[DECLARED] * 101]).encode(), "", is_html=False)
    assert len(declared.documents) == 100
