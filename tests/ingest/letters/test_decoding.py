"""Bytes of mail to text, each form and each bound of it; and passwords taken out of texts."""

import base64
import binascii

import pytest

from ingest.letters import decoding, mime, secrets, signed
from ingest.letters.decoding import (
    NAME_MOST,
    file_name,
    from_base64,
    from_uuencode,
    from_yenc,
    header_text,
    one_line,
    parameters,
    text_of,
    transferred,
)
from ingest.letters.secrets import MASK, Masker, is_telling
from layouts.findings import Code, Place, finding

RUSSIAN = "Показания за ноябрь"


@pytest.mark.parametrize(
    ("content", "charset", "text"),
    [
        (RUSSIAN.encode("cp1251"), "windows-1251", RUSSIAN),
        (RUSSIAN.encode("koi8_r"), None, RUSSIAN),
        (RUSSIAN.encode(), "windows-1251", RUSSIAN),
        (RUSSIAN.encode("utf-8-sig"), "koi8-r", RUSSIAN),
        (RUSSIAN.encode("utf-16"), None, RUSSIAN),
        (RUSSIAN.encode("utf-16-le"), "utf-16-le", RUSSIAN),
        (b"\xfe\xff" + RUSSIAN.encode("utf-16-be"), None, RUSSIAN),
        (RUSSIAN.encode("cp1251"), "iso-8859-1", RUSSIAN),
        (RUSSIAN.encode("cp1251"), "no", RUSSIAN),
        (b"abcd", "utf-16-le", "abcd"), (RUSSIAN.encode("utf-16-be"), "utf-16-be", RUSSIAN),
        (b"abc", "zlib", "abc"), (RUSSIAN.encode("cp1251"), "zlib", RUSSIAN),
        (RUSSIAN.encode("cp1251"), "rot13", RUSSIAN), (RUSSIAN.encode("koi8_r"), "hex", RUSSIAN),
        (b"+BB8-", "utf-7", "+BB8-"),
        (b"", None, ""), (RUSSIAN.encode("cp866"), '"cp866"', RUSSIAN),
    ],
)  # fmt: skip
def test_a_text_is_read_by_its_mark_its_charset_or_a_guess(content, charset, text):
    assert text_of(content, charset) == text


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (b"plain", "plain"), (b"=?utf-8?B?0J/QvtC6?=", "Пок"), (b"=?utf-8?q?a_b=3D?=", "a b="),
        (b"a =?utf-8?Q?b?= c", "a b c"), (b"=?utf-8?Q?a?= =?utf-8?Q?b?=", "ab"),
        (b"=?utf-8?Q?a?= x =?utf-8?Q?b?=", "a x b"), (b"=?utf-8?B?0A==?= =?utf-8?B?nw==?=", "П"),
        (b"=?utf-8?Q?a?= =?koi8-r?Q?=D0?=", "aп"), (b"x=?utf-8*ru?Q?a?=y", "xay"),
        (b"=?utf-8?X?a?=", "=?utf-8?X?a?="), (b"a\r\n b", "a b"), (b"=?utf-8?Q?a=0D=0Ab?=", "a b"),
        (b" \t =?utf-8?Q?a?= =?utf-8?Q?b?=", "ab"), (b"=?utf-8?Q?a?=  b", "a b"),
        ("Тема".encode(), "Тема"),
    ],
)  # fmt: skip
def test_a_header_is_one_line_with_its_encoded_words_read(raw, text):
    assert header_text(raw) == text


@pytest.mark.parametrize(("length", "kept"), [(9, 9), (10, 10), (11, 10)])
def test_a_header_has_so_many_characters(length, kept):
    assert header_text(b"x" * length, 10) == "x" * kept
    assert header_text("ж".encode() * length, 10) == "ж" * kept


@pytest.mark.parametrize(("words", "read"), [(200, "a" * 200), (201, "a" * 200 + " =?utf-8?Q?a?=")])
def test_of_encoded_words_the_first_ones_are_read(words, read):
    assert header_text(b" ".join([b"=?utf-8?Q?a?="] * words)) == read


@pytest.mark.parametrize(
    ("text", "line"),
    [("a\tb\nc", "a b c"), ("a\u202eb", "ab"), ("a\x00b\x7f", "ab"), ("a\u2028b", "a b"), ("", "")],
)
def test_one_line_has_nothing_that_turns_or_ends_it(text, line):
    assert one_line(text) == line


@pytest.mark.parametrize(
    ("raw", "first", "told"),
    [
        (b"text/plain; charset=utf-8", "text/plain", {"charset": "utf-8"}),
        (b'TEXT/Plain; NAME="a \\"b\\".xml"', "text/plain", {"name": 'a "b".xml'}),
        (b"a/b; name=a b.xml; x=y", "a/b", {"name": "a b.xml"}),
        (b'a/b; name="C:\\dir\\a.xml"', "a/b", {"name": "C:\\dir\\a.xml"}),
        (b'a/b; name="open', "a/b", {"name": "open"}), (b'a/b; name="', "a/b", {"name": ""}),
        (b"a/b; name=one; name=two", "a/b", {"name": "one"}),
        (b"a/b; filename*=utf-8''%D0%9F.xml", "a/b", {"filename": "П.xml"}),
        (b"a/b; filename*1=b; filename*0=a", "a/b", {"filename": "ab"}),
        (b"a/b; filename*0*=koi8-r''%D0; filename*1=x%41", "a/b", {"filename": "пx%41"}),
        (b"a/b; filename*0*=utf-8''a; filename*1*='b'c", "a/b", {"filename": "a'b'c"}),
        (b"a/b; filename*=plain; filename=other", "a/b", {"filename": "plain"}),
        (b"a/b; filename*10=c; filename*2=b; filename*0=a", "a/b", {"filename": "abc"}),
        (b"a/b; filename*0==?utf-8?Q?a?=", "a/b", {"filename": "a"}),
        (b"a/b; filename*1=b; filename*=a", "a/b", {"filename": "ab"}),
        (b"a/b; filename*0=a'b'c.xml", "a/b", {"filename": "a'b'c.xml"}),
        (b"a/b; filename*=a'b", "a/b", {"filename": "a'b"}),
        (b"a/b; filename*x=b; filename*1=c", "a/b", {"filename": "bc"}),
        (b"a/b; filename*10000=b; filename*9999=a", "a/b", {"filename": "ab"}),
        (b'a/b; name=""', "a/b", {"name": ""}), (b'a/b; name="a\\\\b"', "a/b", {"name": "a\\b"}),
        (b"", "", {}),
    ],
)  # fmt: skip
def test_parameters_are_read_however_they_are_written(raw, first, told):
    assert parameters(raw) == (first, told)


@pytest.mark.parametrize("length", [2**14 - 1, 2**14, 2**14 + 1])
def test_so_many_bytes_of_a_header_of_parameters_are_read(length):
    assert parameters(b"a/b; " + b" " * (length - 13) + b"name=xyz")[1]["name"] == (
        "xyz" if length <= 2**14 else "xy"
    )


@pytest.mark.parametrize("count", [500, 501, 502, 600])
def test_so_many_pieces_of_a_parameter_are_read(count):
    raw = b"a/b" + b"".join(b"; name*%d=x" % number for number in range(count))
    assert parameters(raw)[1]["name"] == "x" * min(count, 501)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("a/b\\c.xml", "c.xml"), (' "a.xml" ', "a.xml"), ("x" * NAME_MOST, "x" * NAME_MOST),
        ("x" * NAME_MOST + ".xml", "x" * (NAME_MOST - 5) + "….xml"),
        ("x" * (NAME_MOST + 1), "x" * (NAME_MOST - 1) + "…"),
        ("x" * NAME_MOST + ".abcdefghijk", "x" * (NAME_MOST - 13) + "….abcdefghijk"),
        ("x" * NAME_MOST + ".abcdefghijkl", "x" * (NAME_MOST - 1) + "…"),
    ],
)  # fmt: skip
def test_a_name_is_bounded_and_keeps_a_short_ending(text, name):
    assert file_name(text) == name


DATA = bytes(range(256)) * 3
PACKED = base64.encodebytes(DATA)


@pytest.mark.parametrize(
    ("content", "data"),
    [
        (PACKED, DATA), (PACKED.replace(b"\n", b"\r\n"), DATA), (PACKED.strip(), DATA),
        (PACKED + b"--\r\nfooter of a list\r\n", DATA), (PACKED[:8] + b"!" + PACKED[8:], DATA),
        (b"QUJD\nQUJ", b"ABCAB"), (b"QUJDR", b"ABC"), (b"QUI=\nQUJD", b"AB"), (b"", b""),
        (b"!!", b""),
        (b"QUJD\n===\nQUJD", b"ABC"),
        (b"-- -\nQUJD", b"ABC"), (b"QUJD\n-- -\nQUJD", b"ABC"),
        (b"!" + b"QUJD\n" * 150, b"ABC" * 150),
    ],
)  # fmt: skip
def test_base64_is_read_as_far_as_it_goes(content, data):
    assert from_base64(content) == data


@pytest.mark.parametrize(("signs", "strays", "is_read"), [(18, 2, True), (17, 3, False)])
def test_a_line_of_base64_is_nine_tenths_of_it(signs, strays, is_read):
    line = b"QUJDQUJDQUJDQUJDQUJD"[:signs]
    read = from_base64(b"QUJD\n" + line + b"!" * strays + b"\n")
    assert read == (from_base64(b"QUJD" + line) if is_read else b"ABC")


@pytest.mark.parametrize(
    ("name", "content", "data"),
    [
        ("base64", b"QUJD", b"ABC"), ("BASE-64", b"QUJD", b"ABC"), ("b64", b"QUJD", b"ABC"),
        ("base64", b"<a/>", b"<a/>"), ("base64", b" \n<a/>", b" \n<a/>"),
        ("base64", b"PK\3\4", b"PK\3\4"), ("quoted-printable", b"a=3Db", b"a=b"),
        ("QP", b"a=\nb", b"ab"),
        ("7bit", b"QUJD", b"QUJD"), ("", b"a=3Db", b"a=3Db"),
        ("7bit", base64.b64encode(b"PK\3\4" + DATA), b"PK\3\4" + DATA),
        ("x-uuencode", b"begin 644 a\n#04)#\n`\nend\n", b"ABC"),
    ],
)  # fmt: skip
def test_a_transfer_encoding_is_undone_unless_the_bytes_contradict(name, content, data):
    assert transferred(content, name) == data


def uu(data: bytes) -> bytes:
    pieces = [data[at : at + 45] for at in range(0, len(data), 45)]
    return b"begin 644 a\n" + b"".join(map(binascii.b2a_uu, pieces)) + b"`\nend\n"


def test_uuencoded_lines_are_read_with_a_few_faults(monkeypatch):
    for length in range(1, 46):
        line = binascii.b2a_uu(DATA[-length:]).rstrip(b"\n")
        # A sum of its signs, as some encoders put behind each line.
        assert from_uuencode(line + b"X\n" + line + b"XY\n") == DATA[-length:] * 2
    assert from_uuencode(uu(DATA)) == DATA
    assert from_uuencode(uu(DATA).split(b"\n", 1)[1]) == DATA
    assert from_uuencode(b"#04)#    XX\n") == b"ABC"
    content = b"#\x7f\x7f\x7f\x7f\n" * 3 + b"#04)#\n"
    for most, is_read in ((2, False), (3, True)):
        monkeypatch.setattr(decoding, "_UU_FAULTS_MOST", most)
        assert (from_uuencode(content) == b"ABC") is is_read
    for most, is_read in ((3, False), (4, True)):
        monkeypatch.setattr(decoding, "_UU_LINES_MOST", most)
        assert (from_uuencode(content) == b"ABC") is is_read


def yenc(data: bytes) -> bytes:
    made = b""
    for byte in data:
        sign = (byte + 42) % 256
        made += bytes([61, (sign + 64) % 256]) if sign in b"\0\n\r=" else bytes([sign])
    return b"\r\n".join(made[at : at + 129] for at in range(0, len(made), 129))


def test_yenc_is_read_with_as_many_escapes_as_a_packed_file_has(monkeypatch):
    assert from_yenc(yenc(DATA)) == DATA
    escaped = yenc(bytes([256 - 42]) * 8)
    for free, is_read in ((6, False), (7, True)):
        monkeypatch.setattr(decoding, "_YENC_ESCAPES_FREE", free)
        assert (from_yenc(escaped) == bytes([256 - 42]) * 8) is is_read


HEADER = b"From: a@b\r\nSubject: one\r\n two\r\nOdd line\r\nX-A : b\r\nsubject: again\r\n\r\nbody"


@pytest.mark.parametrize(
    ("content", "fields", "body"),
    [
        (HEADER, {"from": [b"a@b"], "subject": [b"one\n two\nOdd line", b"again"], "x-a": [b"b"]},
         b"body"),
        (b"From me Mon\n" + HEADER, None, b"body"), (b"\r\nbody", {}, b"body"),
        (b"\nbody", {}, b"body"),
        (b"no field\r\n\r\nbody", {}, b"no field\r\n\r\nbody"), (b"A: b", {"a": [b"b"]}, b""),
        (b"A: b\n\nbody", {"a": [b"b"]}, b"body"), (b"A: b\r\rbody", {"a": [b"b"]}, b"body"),
    ],
)  # fmt: skip
def test_a_header_ends_with_its_blank_line(content, fields, body):
    found, at = mime.split_header(content, 0, len(content))
    assert content[at:] == body
    assert fields is None or found == fields


def parts(content, **more):
    return [(part.content_type, part.content, part.enclosed) for part in mime.walk(content, **more)]


def multipart(*inside: bytes, kind=b"mixed", end=b"--b--\r\n") -> bytes:
    head = b"Content-Type: multipart/" + kind + b"; boundary=b\r\n\r\n"
    return head + b"".join(b"--b\r\n" + one + b"\r\n" for one in inside) + end


PLAIN = b"Content-Type: text/plain\r\n\r\n"


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (multipart(PLAIN + b"1", b"\r\n2"), [b"1", b"2"]),
        (multipart(b"\r\n1", end=b""), [b"1\r\n"]),
        (multipart(b"\r\nx--b\r\n1"), [b"x--b\r\n1"]),
        (multipart(b"\r\n1") + b"--b\r\n\r\n2", [b"1"]),
        (multipart(b"\r\n1\n--b \t\r\n\r\n2"), [b"1", b"2"]),
        (multipart(b"\r\n1").replace(b"; boundary=b", b""), [b"1"]),
        (multipart(b"\r\n1").replace(b"boundary=b", b"boundary=c"), [b"--b\r\n\r\n1\r\n--b--\r\n"]),
        (b"--b\r\n\r\n1\r\n--b--", [b"--b\r\n\r\n1\r\n--b--"]),
        (multipart(b"", b"\r\n2"), [b"", b"2"]),
        (multipart(b"\r\n1").replace(b"\r\n", b"\n"), [b"1"]),
        (multipart(b"\r\n", b"\r\n2"), [b"", b"2"]), (multipart(b"\n", b"\n2"), [b"", b"2"]),
    ],
)  # fmt: skip
def test_parts_lie_between_their_delimiters(content, found):
    assert [part for _, part, _ in parts(content)] == found


def test_what_says_that_it_has_parts_and_has_none_is_a_plain_text():
    for kind in (b"mixed", b"alternative; boundary=b", b"digest; boundary=b"):
        content = b"Content-Type: multipart/" + kind + b"\r\n\r\ntext"
        assert parts(content) == [("text/plain", b"text", 0)]
    assert parts(b"Content-Type: text/html\r\n\r\ntext") == [("text/html", b"text", 0)]


def test_what_is_enclosed_is_walked_in_its_place():
    inner = b"Content-Type: message/rfc822\r\n\r\n\r\nSubject: x\r\n\r\nbody"
    packed = (
        b"Content-Type: message/rfc822\r\nContent-Transfer-Encoding: base64\r\n\r\n"
        + base64.b64encode(b"Subject: y\r\n\r\nother")
    )
    heard = []
    found = parts(multipart(inner, packed, b"\r\nlast"), heard=heard.append)
    assert found == [
        ("text/plain", b"body", 1), ("text/plain", b"other", 1), ("text/plain", b"last", 0)
    ]  # fmt: skip
    assert [one["subject"] for one in heard] == [[b"x"], [b"y"]]
    digest = multipart(b"\r\nSubject: x\r\n\r\nbody", kind=b"digest")
    assert parts(digest) == [("text/plain", b"body", 1)]
    assert parts(PLAIN + b"a", enclosed=3) == [("text/plain", b"a", 3)]


BOUNDS = {
    "PARTS_MOST": (4, lambda n: multipart(*[b"\r\n1"] * (n - 1))),
    "HEADERS_MOST": (30, lambda n: multipart(b"A: " + b"x" * (n - 12) + b"\r\n\r\n1")),
    "SCANNED_MOST": (40, lambda n: multipart(b"\r\n" + b"1" * (n - 16))),
}


@pytest.mark.parametrize("name", BOUNDS)
def test_a_letter_has_as_much_as_any_sender_makes(name, monkeypatch):
    most, make = BOUNDS[name]
    for bound in range(1, 200):
        monkeypatch.setattr(mime, name, bound)
        try:
            assert parts(make(most))
        except mime.TooManyPartsError:
            continue
        break
    exact = {"PARTS_MOST": 4, "HEADERS_MOST": 25, "SCANNED_MOST": 40}[name]
    assert bound == exact


@pytest.mark.parametrize(("depth", "found"), [(2, [b"1"]), (1, None)])
def test_levels_are_entered_to_their_bound(depth, found, monkeypatch):
    monkeypatch.setattr(mime, "DEPTH_MOST", depth)
    inner = multipart(b"\r\n1").replace(b"=b", b"=c").replace(b"--b", b"--c")
    contents = [part for _, part, _ in parts(multipart(inner))]
    assert contents == found or (found is None and contents[0].startswith(b"--c"))


def test_fields_are_read_to_their_bound(monkeypatch):
    monkeypatch.setattr(mime, "FIELDS_MOST", 2)
    content = b"A: 1\r\nB: 2\r\n 3\r\nC: 4\r\n\r\n"
    assert set(mime.split_header(content, 0, len(content))[0]) == {"a", "b"}


@pytest.mark.parametrize(
    ("head", "inline", "attached"),
    [
        (b"Content-Disposition: inline", True, False), (b"Content-ID: <a>", True, False),
        (b"Content-Disposition: attachment\r\nContent-ID: <a>", False, True),
        (b"Content-Disposition: attachement", False, True), (b"X: y", False, False),
    ],
)  # fmt: skip
def test_a_part_is_attached_or_shown_in_the_body(head, inline, attached):
    (part,) = mime.walk(head + b"\r\n\r\n1")
    assert (part.is_inline, part.is_attached) == (inline, attached)


@pytest.mark.parametrize(
    ("secret", "telling"),
    [("abc12", False), ("abc123", True), ("123456", False), ("abcdef", False), ("abc-def", True),
     ("пароль1", True), ("abc def", False), ("abc_de", True)],
)  # fmt: skip
def test_a_telling_secret_is_of_six_signs_and_of_two_kinds(secret, telling):
    assert is_telling(secret) is telling


@pytest.mark.parametrize(
    ("known", "text", "masked"),
    [
        (["abc"], "xabcx", f"x{MASK}x"), (["ab"], "xabx ab", f"xabx {MASK}"),
        (["ab"], "ab. ab", f"ab. {MASK}"), (["abc", "abcdef"], "abcdef abc", f"{MASK} {MASK}"),
        (["a.c"], "abc a.c", f"abc {MASK}"), (["secret"], "x secr…", f"x {MASK}…"),
        (["secret"], "x sec…", f"x {MASK}…"), (["secret"], "x se…", "x se…"),
        (["secret"], "secre…", f"{MASK}…"), (["secret"], "x secr", "x secr"), ([], "x…", "x…"),
        ([""], "x", "x"), (["secret"], "ecre…", "ecre…"),
        (["secret", "another"], "anothe…", f"{MASK}…"),
    ],
)  # fmt: skip
def test_a_secret_is_masked_whole_or_cut_off(known, text, masked):
    assert Masker(known).text(text) == masked
    assert Masker(known).maybe(None) is None


def test_everything_that_a_finding_names_is_masked():
    masker = Masker(["secret"])
    names = dict.fromkeys(("area", "point", "meter", "channel", "zone"), "a secret")
    told = finding(
        Code.INVALID_NUMBER, Place(file="secret", sheet="secret"), seen="secret", other="secret",
        **names,
    )  # fmt: skip
    hidden = masker.whole_finding(told)
    assert {getattr(hidden, name) for name in names} == {f"a {MASK}"}
    for found in (hidden, masker.finding(told)):
        place = (found.place.file, found.place.sheet)
        assert (*place, found.seen, found.detail["other"]) == (MASK,) * 4
    assert masker.finding(told).point == "a secret"


@pytest.mark.parametrize(
    ("message_id", "free"),
    [("<a@b>", True), ("<xsecretx@b>", False), ("<%73ecret@b>", False), ("<secre@b>", True)],
)
def test_a_message_id_with_a_secret_in_it_is_not_kept(message_id, free):
    assert Masker(["secret"]).is_free(message_id) is free


def test_a_secret_is_known_as_pages_and_xml_write_it():
    forms = secrets._forms(["a\"b'<"])
    assert {"a\"b'<", "a&quot;b&#x27;&lt;", "a&#34;b&#39;&lt;", "a\"b'&lt;"} <= forms


def element(tag: int, *inside: bytes, size: int = 0) -> bytes:
    content = b"".join(inside)
    if not size and len(content) < 128:
        return bytes([tag, len(content)]) + content
    size = size or 2
    return bytes([tag, 0x80 | size]) + len(content).to_bytes(size, "big") + content


def message(carried: bytes, kind=signed._SIGNED, inner=signed._DATA, size=0) -> bytes:
    data = element(0x30, element(6, inner), element(0xA0, carried))
    body = element(0x30, element(2, b"\1"), element(0x31), data, size=size)
    return element(0x30, element(6, kind), element(0xA0, body), size=size)


@pytest.mark.parametrize("size", [0, 1, 4])
@pytest.mark.parametrize(
    ("carried", "content"),
    [
        (element(4, b"text"), b"text"),
        (element(0x24, element(4, b"te"), element(4, b"xt")), b"text"),
        (b"\x24\x80" + element(4, b"text") + b"\0\0", b"text"), (element(4), b""),
        (element(4, b"x" * 127), b"x" * 127), (element(4, b"x" * 128), b"x" * 128),
    ],
)  # fmt: skip
def test_what_a_signature_carries_comes_out_however_long_it_is(carried, content, size):
    assert signed.signed_content(message(carried, size=size)) == content


@pytest.mark.parametrize(
    "broken",
    [
        message(element(4, b"x"))[:-1], message(element(4, b"x"), inner=b"\1"),
        message(element(4, b"x"), kind=signed._ENVELOPED[0]), b"", b"0", b"\x31\0",
        element(0x30, element(6, signed._SIGNED)),
        element(0x30, element(6, signed._SIGNED), element(0xA1, b"")),
        element(0x30, element(5, signed._SIGNED), element(0xA0, b"")),
    ],
)  # fmt: skip
def test_what_is_no_signature_carries_nothing(broken):
    assert signed.signed_content(broken) is None


@pytest.mark.parametrize(("deep", "content"), [(8, b"x"), (9, None), (5000, None)])
def test_a_signature_is_as_deep_as_any_program_makes_it(deep, content):
    carried = element(4, b"x")
    for _ in range(deep):
        carried = element(0x24, carried)
    assert signed.signed_content(message(carried)) == content


@pytest.mark.parametrize(("free", "content"), [(10, b"x"), (9, None)])
def test_elements_are_counted(free, content, monkeypatch):
    monkeypatch.setattr(signed, "_ELEMENTS_FREE", free)
    monkeypatch.setattr(signed, "ELEMENT_BYTES", 10**6)
    assert signed.signed_content(message(element(4, b"x"))) == content


def test_an_enveloped_message_is_encrypted_and_a_signed_one_is_not():
    for kind in signed._ENVELOPED:
        assert signed.is_encrypted(message(element(4, b"x"), kind=kind))
    assert not signed.is_encrypted(message(element(4, b"x")))
    assert not signed.is_encrypted(b"0")


def test_a_signature_is_known_as_it_stands_in_pem_and_in_base64():
    whole = message(element(4, b"x" * 300))
    pem = b"-----BEGIN CMS-----\n" + base64.encodebytes(whole) + b"-----END CMS-----\n"
    for written in (whole, pem, base64.b64encode(whole), b"\xef\xbb\xbf" + base64.b64encode(whole)):
        assert signed.cms_message(written) == whole
    assert signed.cms_message(base64.b64encode(whole) + b"!") is None
    assert signed.cms_message(b"0" + whole[1:3] + b"\0" * 40) is None


@pytest.mark.parametrize(("deep", "content"), [(8, b"x"), (9, None), (5000, None)])
def test_pieces_without_a_stated_length_are_as_deep_as_any_program_makes_them(deep, content):
    carried = element(4, b"x")
    for _ in range(deep):
        carried = b"\x24\x80" + carried + b"\0\0"
    assert signed.signed_content(message(carried)) == content


@pytest.mark.parametrize(
    ("head", "name"),
    [
        (b"Content-Disposition: attachment; filename=a; name=b\r\nContent-Type: x/y; name=c", "a"),
        (b"Content-Disposition: attachment; name=b\r\nContent-Type: x/y; name=c", "b"),
        (b"Content-Disposition: attachment\r\nContent-Type: x/y; name=c", "c"),
        (b"Content-Type: x/y; name=c\r\nContent-Type: x/y; name=d", "d"),
        (b"X: y", ""),
    ],
)
def test_the_name_of_a_file_is_looked_for_where_it_counts_most(head, name):
    (part,) = mime.walk(head + b"\r\n\r\n1")
    assert part.name == name


@pytest.mark.parametrize(
    ("kind", "content", "is_html"),
    [
        (b"text/html", b"a", True), (b"text/enriched", b"a", True), (b"text/plain", b"a", False),
        (b"text/plain", b" \n<HTML>a", True), (b"text/plain", b"<!DOCTYPE html>a", True),
        (b"text/plain", b"a<html>", False), (b"text/plain", b" " * 196 + b"<html>", False),
        (b"text/plain", b" " * 195 + b"<html>", True), (b"text/plain", b"<!DOCTYPE svg>", False),
    ],
)  # fmt: skip
def test_a_body_is_html_by_its_type_or_as_it_begins(kind, content, is_html):
    (part,) = mime.walk(b"Content-Type: " + kind + b"\r\n\r\n" + content)
    assert part.is_html is is_html


@pytest.mark.parametrize("ends", [b"\n", b"\r\n"])
@pytest.mark.parametrize("encoding", [b"7bit", b"Base64 ", b"quoted-printable"])
@pytest.mark.parametrize("blank", [0, 1, 2])
def test_an_enclosed_letter_may_be_encoded_and_begin_with_blank_lines(ends, encoding, blank):
    inner = ends * blank + b"Subject: x" + ends * 2 + b"body"
    packed = base64.encodebytes(inner) if encoding.startswith(b"Base64") else inner
    head = b"Content-Type: message/rfc822\nContent-Transfer-Encoding: " + encoding
    heard = []
    (part,) = mime.walk(head.replace(b"\n", ends) + ends * 2 + packed, heard=heard.append)
    assert (part.content, part.enclosed, heard) == (b"body", 1, [{"subject": [b"x"]}])


def test_what_is_decoded_counts_twice_of_what_is_searched(monkeypatch):
    packed = base64.b64encode(b"Subject: y\r\n\r\nother")
    head = b"Content-Type: message/rfc822\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    monkeypatch.setattr(mime, "SCANNED_MOST", 2 * len(packed))
    assert parts(head + packed) == [("text/plain", b"other", 1)]
    monkeypatch.setattr(mime, "SCANNED_MOST", 2 * len(packed) - 1)
    with pytest.raises(mime.TooManyPartsError):
        parts(head + packed)


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (b"", []), (b"\4", []), (b"\4\0", [(4, b"")]), (b"\4\1x\4\0", [(4, b"x"), (4, b"")]),
        (b"\4\1x\0\0\4\0", [(4, b"x")]), (b"\4\x81\1x", [(4, b"x")]),
        (b"\x24\x80\4\1x\0\0\4\0", [(0x24, b"\4\1x"), (4, b"")]), (b"\4\1x\4", [(4, b"x")]),
        (b"\4\2x", None), (b"\x24\x80\4\1x", None), (b"\x24\x80\4\1x\0", None),
        (b"\4\x82\0\1x", [(4, b"x")]), (b"\4\x82\0\2x", None), (b"\x24\x80" * 10 + bytes(20), None),
        (b"\x24\x80" * 9 + bytes(18), [(0x24, b"\x24\x80" * 8 + bytes(16))]),
    ],
)  # fmt: skip
def test_elements_stand_side_by_side(data, found):
    try:
        assert list(signed._Ber(data).elements(data)) == found
    except signed._NotBerError:
        assert found is None


@pytest.mark.parametrize(
    ("name", "plain"),
    [("a.xml.sig", "a.xml"), ("a.xml.p7s.SIG", "a.xml"), ("a.xml", "a.xml"), ("sig", "sig")],
)
def test_a_name_loses_the_ending_of_its_signature(name, plain):
    assert signed.name_without_signature(name) == plain


@pytest.mark.parametrize("size", [3, 4, 50])
def test_a_cut_off_secret_is_masked_from_three_of_its_signs_on(size):
    secret = "abcdefgh" * 7
    masker = Masker([secret, "xyz"])
    assert masker.text(f"{secret[:size]}…") == f"{MASK}…"
    assert masker.text(f"- {secret[:2]}…") == f"- {secret[:2]}…"
    assert (masker.holds(f"{secret[:size]}…"), masker.holds("a"), masker.holds(None)) == (
        True,
        False,
        False,
    )
