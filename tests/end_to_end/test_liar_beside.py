"""A mailbox whose server lies rests; the others are read, and the service stays small."""

from tests.end_to_end.installation import Installation
from tests.end_to_end.scripted import ScriptedImap
from tests.hostile.against_the_service import MEMORY_MOST, RECEIVED_AT, Watch
from tests.hostile.corpus import ordinary


def test_a_mailbox_whose_server_lies_rests_and_the_others_go_on(tmp_path, dovecot, smtp_server):
    announced = b"* 1 FETCH (UID 11 BODY[] {10000000000}\r\n"
    liar = ScriptedImap({"UID FETCH": lambda _rest: iter([announced, b"x" * 100_000])})

    class WithLiar(Installation):
        def _text(self):
            return f"""{super()._text()}
[[mailbox]]
name = "liar"
host = "127.0.0.1"
port = {liar.port}
security = "none"
user = "user"
password = "password"
"""

    service = WithLiar(tmp_path, f"sqlite:///{tmp_path}/ingest.db", dovecot, smtp_server.port)

    def accepted(count):
        return lambda: sum(row.outcome == "accepted" for row in service.letters()) == count

    try:
        with service.running() as process:
            watch = Watch(process.pid)
            watch.start()
            dovecot.append(ordinary(1), at=RECEIVED_AT)
            service.wait_until(accepted(1))
            service.wait_until(lambda: "mailbox liar" in failing(service))
            dovecot.append(ordinary(2), at=RECEIVED_AT)
            service.wait_until(accepted(2))
            watch.end()
        assert failing(service) == {"mailbox liar"}
    finally:
        service.ledger.close()
        liar.close()
    assert watch.peak < MEMORY_MOST


def failing(service):
    """Servers that fail now, by the names that `status` has for them."""
    return {one.name for one in service.status().servers if one.failing_since}
