"""Known holes of the standard library of older Pythons are closed by bounds of our own.

- CVE-2024-0450: `zipfile` before 3.11.8 reads entries that overlap, a bomb of few bytes.
- CVE-2024-8088: `zipfile.Path` loops for ever over a name such as `//`.
- CVE-2007-4559: `tarfile` extracts to where an archive says.
- CVE-2025-15366: `imaplib` sends a line end that stands in an argument.
"""

import ast
import contextlib
import imaplib

import pytest
from imapclient import IMAPClient

from ingest.demo.servers import PASSWORD, USER, ImapServer
from ingest.letters.letter import read_letter
from ingest.letters.terms import Limits
from layouts.findings import Code
from tests.end_to_end.installation import ROOT
from tests.hostile.corpus import archive, carrying, zeros, zipped

PACKAGES = ("ingest", "parsers", "layouts", "storage", "config")
FORBIDDEN = {"extract", "extractall", "unpack_archive"}


@pytest.mark.parametrize("copies", [200, 1900])
def test_entries_that_overlap_are_counted_as_they_come_out(copies):
    content = archive(("a.txt", *zeros(1)), copies=copies)
    assert len(content) < 200_000
    found = read_letter(carrying("a.zip", content), Limits()).findings
    codes = {one.code for one in found}
    assert codes
    assert not codes - {Code.UNPACKS_TOO_LARGE, Code.UNREADABLE_DOCUMENT}


@pytest.mark.parametrize("name", ["//", "a//", "/", "", "..", "../../etc/passwd", "a/../../b.xml"])
def test_a_name_in_an_archive_is_never_a_path(name):
    letter = read_letter(carrying("a.zip", zipped((name, b"<a/>"), ("b.xml", b"<b/>"))), Limits())
    names = [one.name for one in (*letter.documents, *letter.attachments)]
    assert "b.xml" in names
    assert not any("/" in one for one in names)


def test_nothing_is_ever_unpacked_into_files():
    found = []
    for package in PACKAGES:
        for path in (ROOT / package).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Attribute) and (
                    (node.attr in FORBIDDEN and ast.unparse(node.value) != "func")
                    or (node.attr == "Path" and ast.unparse(node.value) == "zipfile")
                ):
                    found.append(f"{path}:{node.lineno} {ast.unparse(node)}")
                if isinstance(node, ast.Import) and any(n.name == "tarfile" for n in node.names):
                    found.append(f"{path}:{node.lineno} tarfile")
    assert found == []


@pytest.mark.parametrize("end", ["\r\n", "\n", "\r"])
@pytest.mark.parametrize("act", ["select_folder", "create_folder", "folder_exists"])
def test_a_line_end_in_a_folders_name_begins_no_command(act, end):
    """The client puts such names into literals or refuses them: no second command is sent."""
    with ImapServer() as server, IMAPClient("127.0.0.1", server.port, ssl=False) as client:
        client.login(USER, PASSWORD)
        with contextlib.suppress(imaplib.IMAP4.error, ValueError):
            getattr(client, act)(f'INBOX"{end}x1 CREATE made{end}')
        assert not any("made" in name for _, _, name in _folders(server) if name == "made")


def _folders(server: ImapServer) -> list[tuple[object, object, str]]:
    with IMAPClient("127.0.0.1", server.port, ssl=False) as client:
        client.login(USER, PASSWORD)
        return list(client.list_folders())


def test_the_list_of_packages_is_whole():
    kept = {path.parent.name for path in ROOT.glob("*/__init__.py")} - {"tests", "benchmarks"}
    unlisted = kept - {"samples", "deploy"} - set(PACKAGES)
    assert not unlisted
