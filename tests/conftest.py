"""What the end of a run says: which tests this machine could not run, and what would let it."""

from tests.end_to_end.servers import DOVECOT


def pytest_terminal_summary(terminalreporter) -> None:
    if not DOVECOT:
        terminalreporter.write_sep("-", "left out")
        terminalreporter.write_line(
            "tests on Dovecot (tests/end_to_end): the package dovecot-imapd, 2.3, allows them"
        )
