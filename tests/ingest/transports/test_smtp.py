"""Each word of an SMTP server has its meaning, and each mail the form that SMTP asks for."""

import base64
import math

import pytest

from ingest.transports import smtp
from ingest.transports.login import Token
from ingest.transports.ports import Deferred, OutboxUnavailable, RecipientRefused, TooLarge
from ingest.transports.smtp import SmtpConfig, SmtpPostman
from storage.records.replies import OwedReply
from tests.end_to_end.scripted import Listening


class Server(Listening):
    """Takes every mail, until an answer of the test's own takes a command's place.

    Attributes:
        lines: What it was told, of all connections, the mails left out.
        pieces: The lines of each piece in which they came.
        hangs_up_after: The word after whose answer it ends the connection.
    """

    def __init__(self, answers=(), extensions=()):
        self.answers, self.lines = dict(answers), []
        self._extensions = ["127.0.0.1", *extensions]
        self.connections = 0
        self.pieces, self.hangs_up_after = [], ""
        super().__init__(self._converse)

    def _converse(self, connection):
        self.connections += 1
        connection.sendall(b"220 ready\r\n")
        rest, is_mail = b"", False
        while piece := connection.recv(2**16):
            *lines, rest = (rest + piece).split(b"\r\n")
            self.pieces.append([line.decode() for line in lines])
            for line in self.pieces[-1]:
                word = line.split()[0].upper() if line.split() else ""
                if is_mail and word != ".":
                    continue
                self.lines.append(line)
                answer = self._answer(word)
                is_mail = answer.startswith("354")
                connection.sendall(f"{answer}\r\n".encode())
                if word == self.hangs_up_after:
                    return

    def _answer(self, word):
        if word in self.answers:
            told = self.answers[word]
            return told.pop(0) if isinstance(told, list) else told
        if word == "EHLO":
            *others, last = self._extensions
            return "\r\n".join([*(f"250-{one}" for one in others), f"250 {last}"])
        return {"DATA": "354 go on", "QUIT": "221 bye", "AUTH": "235 in"}.get(word, "250 fine")


@pytest.fixture
def serving():
    servers, postmen = [], []

    def serve(answers=(), extensions=(), **options):
        servers.append(Server(answers, extensions))
        given = {"sender": "meters@x.example", "timeout_seconds": 5.0}
        config = SmtpConfig("127.0.0.1", servers[-1].port, "none", **(given | options))
        postmen.append(SmtpPostman(config))
        return servers[-1], postmen[-1]

    yield serve
    for one in (*postmen, *servers):
        one.close()


def reply(recipient="buh@primer.example", content=b"Subject: Hi\n\nOne\n"):
    return OwedReply(1, recipient, "Hi", "<1@x.example>", content)


VERDICTS = [
    (400, Deferred), (450, Deferred), (499, Deferred), (500, RecipientRefused),
    (501, RecipientRefused), (550, RecipientRefused), (552, TooLarge), (553, RecipientRefused),
    (421, OutboxUnavailable), (530, OutboxUnavailable),
]  # fmt: skip


@pytest.mark.parametrize("word", ["RCPT", "DATA", "."])
@pytest.mark.parametrize(("code", "verdict"), VERDICTS)
@pytest.mark.parametrize("extensions", [[], ["PIPELINING"]])
def test_a_refusal_is_of_this_mail_now_for_good_or_of_all(serving, word, code, verdict, extensions):
    answers = {"DATA": ["503 nobody to send it to", "354 go on"]} if word == "RCPT" else {}
    if word == "RCPT" and not extensions:
        del answers["DATA"][0]
    server, postman = serving({**answers, word: f"{code} no {'x' * 400}"}, extensions)
    with pytest.raises(Exception, match=f"{code} no x") as raised:
        postman.send(reply())
    assert type(raised.value) is verdict or verdict is OutboxUnavailable
    assert isinstance(raised.value, OutboxUnavailable) is (verdict is OutboxUnavailable)
    assert str(raised.value).endswith(f"{code} no {'x' * 297}")
    del server.answers[word]
    postman.send(reply())
    # Where only the mail was refused its connection is kept.
    assert server.connections == 1 + (verdict is OutboxUnavailable)


@pytest.mark.parametrize("words", [["MAIL"], ["RCPT"], ["MAIL", "RCPT"]])
def test_a_server_that_waits_for_the_text_of_a_refused_mail_is_left(serving, words):
    server, postman = serving(dict.fromkeys(words, "550 no"), ["PIPELINING"])
    with pytest.raises(OutboxUnavailable if "MAIL" in words else RecipientRefused, match="550 no"):
        postman.send(reply())
    for word in words:
        del server.answers[word]
    postman.send(reply())
    assert server.connections == 2
    # No text of the first one was sent, not even an empty one.
    assert server.lines.count(".") == 1


@pytest.mark.parametrize("word", ["MAIL", "RCPT", "DATA"])
@pytest.mark.parametrize("extensions", [[], ["PIPELINING"]])
def test_a_server_that_hangs_up_after_its_refusal_has_refused(serving, word, extensions):
    server, postman = serving({word: "550 no"}, extensions)
    server.hangs_up_after = word
    fault = OutboxUnavailable if word == "MAIL" else RecipientRefused
    with pytest.raises(fault, match="550 no"):
        postman.send(reply())
    server.answers.clear()
    server.hangs_up_after = ""
    postman.send(reply())
    assert server.connections == 2


@pytest.mark.parametrize("word", ["MAIL", "RCPT", "DATA", "."])
@pytest.mark.parametrize("extensions", [[], ["PIPELINING"]])
def test_a_server_that_hangs_up_after_taking_a_part_has_taken_nothing(serving, word, extensions):
    server, postman = serving(extensions=extensions)
    server.hangs_up_after = word
    if word == ".":
        # It took the mail whole.
        postman.send(reply())
    else:
        with pytest.raises(OutboxUnavailable, match="cannot be used"):
            postman.send(reply())


@pytest.mark.parametrize("extensions", [[], ["PIPELINING"]])
def test_a_mail_is_handed_in_with_as_few_round_trips_as_the_server_allows(serving, extensions):
    server, postman = serving(extensions=extensions)
    postman.send(reply())
    server.pieces.clear()
    postman.send(reply())
    words = [[line.split()[0].upper() for line in piece if line] for piece in server.pieces]
    begin = [["MAIL", "RCPT", "DATA"]] if extensions else [["MAIL"], ["RCPT"], ["DATA"]]
    assert words[: len(begin)] == begin


@pytest.mark.parametrize(
    ("content", "data"),
    [
        (b"", b"\r\n.\r\n"), (b"a\r\n", b"a\r\n.\r\n"), (b"a", b"a\r\n.\r\n"),
        (b".", b"..\r\n.\r\n"), (b".\r\n.\r\na.\r\n..b\r\n", b"..\r\n..\r\na.\r\n...b\r\n.\r\n"),
    ],
)  # fmt: skip
def test_no_line_of_a_mail_ends_it(content, data):
    assert smtp._as_data(content) == data


@pytest.mark.parametrize(
    ("code", "by_token", "verdict", "told"),
    [
        (550, False, OutboxUnavailable, "refused the sender meters@x.example: 550 no"),
        (530, False, OutboxUnavailable, "refused the sender meters@x.example: 530 no"),
        (530, True, OutboxUnavailable, "is closing: 530 no"),
        (550, True, OutboxUnavailable, "refused the sender meters@x.example: 550 no"),
        (421, False, OutboxUnavailable, "is closing: 421 no"), (552, False, TooLarge, "552 no"),
    ],
)  # fmt: skip
def test_a_refusal_of_the_sender_is_one_of_the_configuration(
    serving, code, by_token, verdict, told
):
    token = (lambda _user: Token("t", math.inf)) if by_token else None
    _, postman = serving({"MAIL": f"{code} no"}, ["AUTH XOAUTH2"], token=token, user="m" * by_token)
    with pytest.raises(verdict, match=told) as raised:
        postman.send(reply())
    assert ("set [smtp] sender" in getattr(raised.value, "advice", "")) is ("sender" in told)


def test_an_address_beyond_ascii_goes_only_to_a_server_that_takes_it(serving):
    server, postman = serving(extensions=["SMTPUTF8", "8BITMIME"])
    postman.send(reply("бух@пример.example"))
    postman.send(reply())
    senders = [line for line in server.lines if line.startswith("mail")]
    assert ["SMTPUTF8" in line for line in senders] == [True, False]
    _, other = serving()
    with pytest.raises(RecipientRefused, match="beyond ASCII"):
        other.send(reply("бух@пример.example"))


@pytest.mark.parametrize(
    ("content", "wire"),
    [
        (b"", b""), (b"a", b"a"), (b"a\r\nb\r\n", b"a\r\nb\r\n"), (b"a\nb\n", b"a\r\nb\r\n"),
        (b"a\rb\r", b"a\r\nb\r\n"), (b"a\r\nb\n", b"a\r\nb\r\n"), (b"a\r\nb\r", b"a\r\nb\r\n"),
        (b"a\n\rb", b"a\r\n\r\nb"), (b"a\r\nb\nc\rd", b"a\r\nb\r\nc\r\nd"),
    ],
)  # fmt: skip
def test_line_ends_are_those_of_smtp(content, wire):
    assert smtp._wire(content) == wire


def test_a_login_is_told_to_a_server_once_for_each_connection(serving):
    server, postman = serving(extensions=["AUTH PLAIN LOGIN"], user="meters", password="s")
    for _ in range(2):
        postman.send(reply())
    signed_in = [line for line in server.lines if line.startswith("AUTH")]
    assert signed_in == [f"AUTH PLAIN {base64.b64encode(b'%cmeters%cs' % (0, 0)).decode()}"]
    postman.close()
    assert server.lines[-1].upper() == "QUIT"


@pytest.mark.parametrize(("user", "password"), [("метры", "s"), ("meters", "пароль")])
@pytest.mark.parametrize("code", [235, 234, 236, 535])
def test_a_name_or_password_beyond_ascii_signs_in_as_utf_8(serving, user, password, code):
    server, postman = serving({"AUTH": f"{code} x"}, ["AUTH PLAIN"], user=user, password=password)
    if code == 235:
        postman.send(reply())
    else:
        with pytest.raises(OutboxUnavailable, match=f"refused the user or the password of {user}"):
            postman.send(reply())
    (line,) = (line for line in server.lines if line.startswith("AUTH"))
    assert base64.b64decode(line.split()[-1]).decode() == f"\0{user}\0{password}"


def test_without_a_user_nobody_signs_in(serving):
    server, postman = serving(extensions=["AUTH PLAIN XOAUTH2"])
    told = postman.greet()
    assert told == f"127.0.0.1:{server.port} answers, none, as meters@x.example"
    assert [line.split()[0].upper() for line in server.lines] == ["EHLO", "NOOP"]
    assert postman.certificate_ends() is None


@pytest.mark.parametrize("mechanisms", ["XOAUTH2", "XOAUTH2 OAUTHBEARER", "PLAIN OAUTHBEARER"])
def test_a_token_signs_in_by_the_mechanism_that_the_server_has(serving, mechanisms):
    asked = []

    def token(user):
        asked.append(user)
        return Token("secret", math.inf)

    answers = {"AUTH": "334 e30=", "AQ==": "535 no", "": "535 no", "=": "535 no"}
    server, postman = serving(answers, [f"AUTH {mechanisms}"], token=token, user="m")
    with pytest.raises(OutboxUnavailable, match="refused the token of m"):
        postman.greet()
    at = next(n for n, line in enumerate(server.lines) if line.startswith("AUTH"))
    _, name, first = server.lines[at].split()
    assert name == mechanisms.split()[-1]
    assert "Bearer secret" in base64.b64decode(first).decode()
    # The challenge that tells why is answered before the refusal.
    assert server.lines[at + 1] == ("AQ==" if name == "OAUTHBEARER" else "")
    assert asked == ["m"]


@pytest.mark.parametrize(
    ("rested", "ends", "words", "connections"),
    [
        (20.0, math.inf, [], 1), (20.1, math.inf, ["NOOP"], 1), (0.0, 0.0, [], 1),
        (0.1, 0.0, ["EHLO", "AUTH"], 2),
    ],
)  # fmt: skip
def test_a_connection_that_rested_is_tried_and_one_whose_login_ended_is_left(
    serving, monkeypatch, rested, ends, words, connections
):
    now = [1000.0]
    monkeypatch.setattr(smtp.time, "monotonic", lambda: now[0])
    token = Token("t", 1000.0 + ends)
    server, postman = serving(extensions=["AUTH XOAUTH2"], token=lambda _: token, user="m")
    postman.send(reply())
    server.lines.clear()
    now[0] += rested
    postman.send(reply())
    before_mail = [line.split()[0].upper() for line in server.lines]
    assert before_mail[: before_mail.index("MAIL")] == words
    assert server.connections == connections


@pytest.mark.parametrize(("sent", "is_tried_again"), [(0, False), (1, True)])
def test_only_a_connection_that_took_a_mail_may_end_without_a_fault(serving, sent, is_tried_again):
    server, postman = serving({"MAIL": ["250 fine"] * sent + ["421 enough"] + ["250 fine"] * 9})
    for _ in range(sent):
        postman.send(reply())
    if is_tried_again:
        postman.send(reply())
        assert server.connections == 2
    else:
        with pytest.raises(OutboxUnavailable, match="closing: 421 enough"):
            postman.send(reply())
    # The next connection has taken none yet, or one.
    postman.send(reply())
