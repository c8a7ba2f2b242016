"""Settings: every mistake is one sentence with key, file and line."""

import json
from pathlib import Path

import msgspec
import pytest

from config import settings as settings_module
from config.load import PLACES, described, load, require_database
from config.settings import SettingsError
from ingest.wiring.service import Service


@pytest.fixture(autouse=True)
def _alone(tmp_path, monkeypatch):
    """No configuration of the machine that runs the tests; its own in place of /etc."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("INGEST_CONFIG", raising=False)
    monkeypatch.setattr("config.load.PLACES", (Path("ingest.toml"), Path("etc/ingest.toml")))


def write(text, name="ingest.toml"):
    path = Path(name)
    path.write_text(text, encoding="utf-8")
    return path


def mistake(text):
    with pytest.raises(SettingsError) as told:
        load(write(text))
    sentence = str(told.value)
    assert "\n" not in sentence
    return sentence


MAILBOX = """[[mailbox]]
name = "main"
host = "imap.example.ru"
"""
SECOND = MAILBOX.replace("main", "second")
ACCOUNT = '[oauth.x]\ntoken_url = "https://id.example/token"\n'


def test_without_a_file_everything_has_its_default():
    settings = load()
    assert settings.database.url == "sqlite:///ingest.db"
    assert settings.mailbox == []
    assert settings.poll.batch == 50


def test_the_file_in_the_folder_is_read_without_being_named():
    write("[poll]\nbatch = 7")
    assert load().poll.batch == 7


def test_the_file_in_etc_is_read_when_the_folder_has_none():
    Path("etc").mkdir()
    write("[poll]\nbatch = 8", "etc/ingest.toml")
    settings = load()
    assert (settings.poll.batch, settings.file) == (8, Path("etc/ingest.toml"))
    write("[poll]\nbatch = 7")
    assert load().poll.batch == 7


def test_the_system_s_place_is_etc():
    assert str(PLACES[1]) == "/etc/ingest/ingest.toml"


def test_a_database_is_chosen_by_a_file_or_by_the_environment(monkeypatch):
    monkeypatch.setenv("INGEST_POLL__BATCH", "7")
    with pytest.raises(SettingsError, match=r"no ingest\.toml and no etc/ingest\.toml"):
        require_database(load())
    monkeypatch.setenv("INGEST_DATABASE__URL", "sqlite:///other.db")
    require_database(load())
    monkeypatch.delenv("INGEST_DATABASE__URL")
    write("")
    require_database(load())


def test_the_environment_names_the_file(monkeypatch):
    write("[poll]\nbatch = 7", "other.toml")
    monkeypatch.setenv("INGEST_CONFIG", "other.toml")
    assert load().poll.batch == 7


def test_a_named_file_that_is_missing_is_said(tmp_path, monkeypatch):
    with pytest.raises(SettingsError, match=r"^absent\.toml: there is no such file$"):
        load(Path("absent.toml"))
    monkeypatch.setenv("INGEST_CONFIG", "absent.toml")
    with pytest.raises(SettingsError, match=r"^absent\.toml: there is no such file$"):
        load()


def test_a_folder_in_the_files_place_is_said(tmp_path):
    with pytest.raises(SettingsError, match="cannot be read: Is a directory"):
        load(tmp_path)


def test_a_file_in_another_encoding_is_said():
    Path("ingest.toml").write_bytes('[smtp]\nsender = "Приём"'.encode("cp1251"))
    with pytest.raises(SettingsError, match=r"^ingest\.toml is not UTF-8 text$"):
        load()


def test_what_is_not_toml_is_said_with_its_line():
    assert "ingest.toml: " in mistake("[poll]\nbatch = = 7")
    assert "line 2" in mistake("[poll]\nbatch = = 7")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[poll]\nbatsh = 7", "ingest.toml, line 2: poll.batsh: there is no such key"),
        ("\n[pool]\nbatch = 7", "ingest.toml, line 2: pool: there is no such key"),
        ("batch = 7", "ingest.toml, line 1: batch: there is no such key"),
        ("[[mailbox]]\nnane = 'a'", "ingest.toml, line 2: mailbox.0.nane: there is no such key"),
        (
            '[poll]\nidle = true\nbatch = "many"',
            "ingest.toml, line 3: poll.batch: Expected `int`, got `str`",
        ),
        ("[poll]\nbatch = 0", "ingest.toml, line 2: poll.batch: "),
        (
            '[database]\nurl = "mysql://x/y"',
            "ingest.toml, line 2: database.url: write sqlite:///file or postgresql+psycopg://",
        ),
        ("poll = 3", "ingest.toml, line 1: poll: "),
        (MAILBOX + "colour = 1", "ingest.toml, line 4: mailbox.0.colour: there is no such key"),
        (MAILBOX + SECOND + "port = 0", "ingest.toml, line 7: mailbox.1.port: "),
        ('[[mailbox]]\nname = "main"', "ingest.toml, line 1: mailbox.0.host: "),
        (MAILBOX + MAILBOX, "ingest.toml: mailbox: two mailboxes have the same name"),
        ('mailbox = "main"', "ingest.toml, line 1: mailbox: "),
        (
            '[smtp]\nhost = "smtp.example.ru"',
            "ingest.toml, line 1: smtp: sender must hold an e-mail address",
        ),
        (
            '[log]\nformat = "xml"',
            "ingest.toml, line 2: log.format: one of json, console is needed",
        ),
    ],
)
def test_a_mistake_is_one_sentence_with_file_line_and_key(text, sentence):
    assert mistake(text).startswith(sentence)


@pytest.mark.parametrize(
    ("text", "near"),
    [
        ("[poll]\nbatches = 7", "batch"),
        ("[poll]\npoll_every_seconds = 7", "every_seconds"),
        ("[[mailbox]]\nname = 'a'\nhost = 'b'\npasswd_file = 'c'", "password_file"),
        ("[oauth.office]\ngrant = 'client_credentials'\ntoken_url = 'https://x'\nsecret_file = 'c'",
         "client_secret_file"),
        ("[mailboxes]\nname = 'main'", "mailbox"),
    ],
)  # fmt: skip
def test_an_older_or_misspelt_key_is_told_with_the_name_that_it_has_now(text, near):
    assert mistake(text).endswith(f"there is no such key: {near} is one")


def test_all_mistakes_are_told_at_once():
    text = "[poll]\nbatch = 0\nbatsh = 7\n[log]\nlevel = 3\n" + MAILBOX + "port = 0\nnane = 1\n"
    with pytest.raises(SettingsError) as told:
        load(write(text))
    sentences = str(told.value).splitlines()
    assert {s.split(": ")[1] for s in sentences} == {
        "poll.batch", "poll.batsh", "log.level", "mailbox.0.port", "mailbox.0.nane",
    }  # fmt: skip


def test_letters_go_in_the_clear_to_this_machine_only():
    told = mistake(MAILBOX + 'security = "none"')
    assert 'security = "none" is for loopback only, and imap.example.ru is not' in told
    for host in ("localhost", "127.0.0.1", "::1", "[::1]"):
        text = MAILBOX.replace("imap.example.ru", host) + 'security = "none"'
        assert load(write(text)).mailbox[0].security == "none"


@pytest.mark.parametrize(
    "url",
    [
        "postgresql+psycopg2://x/y",
        "sqlite+aiosqlite:///x",
        "postgresql://host:port/name",
        "sqlite",
        "",
    ],
)
def test_a_database_that_this_program_cannot_use_is_said_without_its_url(url):
    sentence = mistake(f'[database]\nurl = "{url}"')
    assert "database" in sentence
    assert "aiosqlite" not in sentence


def test_a_secret_comes_from_a_file_without_its_line_end():
    write("кот и пёс\r\n", "secret")
    mailbox = load(write(MAILBOX + 'password_file = "secret"')).mailbox[0]
    assert mailbox.secret("password") == "кот и пёс"


def test_a_secret_file_is_read_when_it_is_used_and_each_time():
    mailbox = load(write(MAILBOX + 'password_file = "secret"')).mailbox[0]
    write("one", "secret")
    assert mailbox.secret("password") == "one"
    write("two", "secret")
    assert mailbox.secret("password") == "two"


def test_the_database_url_comes_from_a_file_and_is_checked_there_too():
    write("postgresql://ingest:tikho@db/ingest\n", "url")
    settings = load(write('[database]\nurl_file = "url"'))
    assert settings.database.location() == "postgresql://ingest:tikho@db/ingest"
    write("mysql://ingest:tikho@db/ingest\n", "url")
    with pytest.raises(SettingsError) as told:
        settings.database.location()
    assert str(told.value).startswith("ingest.toml, line 2: url_file: url: write sqlite:///file")
    assert "tikho" not in str(told.value)


@pytest.mark.parametrize("section", ["mailbox", "smtp", "database"])
def test_a_secret_file_that_cannot_be_read_is_said_with_key_and_file(section):
    key = "url_file" if section == "database" else "password_file"
    head = MAILBOX if section == "mailbox" else f"[{section}]\n"
    settings = load(write(f'{head}{key} = "/run/secrets/absent"'))
    part = settings.mailbox[0] if section == "mailbox" else getattr(settings, section)
    with pytest.raises(SettingsError) as told:
        part.secret(key.removesuffix("_file"))
    line = 4 if section == "mailbox" else 2
    assert str(told.value) == (
        f"ingest.toml, line {line}: {key}: /run/secrets/absent cannot be read:"
        " No such file or directory"
    )


def test_a_secret_file_that_is_no_text_is_said():
    Path("secret").write_bytes(b"\xff\xfe\x00")
    smtp = load(write('[smtp]\npassword_file = "secret"')).smtp
    with pytest.raises(SettingsError, match=r"secret cannot be read: it is not UTF-8 text$"):
        smtp.secret("password")


def test_a_secret_is_given_once():
    write("a", "secret")
    sentence = mistake('[smtp]\npassword = "b"\npassword_file = "secret"')
    assert sentence.endswith("smtp: give password or password_file, not both")


def test_the_environment_outranks_the_file(monkeypatch):
    monkeypatch.setenv("INGEST_POLL__BATCH", "9")
    monkeypatch.setenv("INGEST_POLL__IDLE", "false")
    monkeypatch.setenv("INGEST_DATABASE__URL", "sqlite:///other.db")
    settings = load(write("[poll]\nbatch = 7\nworkers = 3"))
    assert (settings.poll.batch, settings.poll.idle, settings.poll.workers) == (9, False, 3)
    assert settings.database.url == "sqlite:///other.db"


def test_the_environment_reaches_one_mailbox_of_the_file(monkeypatch):
    monkeypatch.setenv("INGEST_MAILBOX__1__PASSWORD", "tikho")
    settings = load(write(MAILBOX + SECOND))
    assert [m.password for m in settings.mailbox] == ["", "tikho"]


def test_a_mailbox_can_stand_in_the_environment_alone(monkeypatch):
    monkeypatch.setenv("INGEST_MAILBOX__0__NAME", "main")
    monkeypatch.setenv("INGEST_MAILBOX__0__HOST", "imap.example.ru")
    assert load().mailbox[0].host == "imap.example.ru"


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("INGEST_POOL__BATCH", "1", "pool: there is no such key"),
        ("INGEST_POLL__BATSH", "1", "poll.batsh: there is no such key"),
        ("INGEST_POLL__BATCH", "x", "poll.batch: Expected `int`"),
        ("INGEST_POLL", "x", "poll: "),
        ("INGEST_POLL__BATCH__MORE", "1", "poll.batch"),
    ],
)
def test_a_mistake_in_the_environment_names_its_variable(name, value, sentence, monkeypatch):
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError) as told:
        load()
    assert str(told.value).startswith(f"environment variable {name}: {sentence}")


@pytest.mark.parametrize(
    ("word", "is_on"),
    [("yes", 1), ("ON", 1), ("true", 1), ("1", 1), ("no", 0), ("Off", 0), ("false", 0), ("0", 0)],
)
def test_a_switch_in_the_environment_is_a_word_or_a_digit(word, is_on, monkeypatch):
    monkeypatch.setenv("INGEST_POLL__IDLE", word)
    assert load().poll.idle is bool(is_on)


@pytest.mark.parametrize("key", ["metrics.listen", "web.public_url", "smtp.auth"])
def test_a_line_end_is_no_part_of_a_value(key):
    table, name = key.split(".")
    value = {"listen": "127.0.0.1:9108", "public_url": "https://a.ru", "auth": "oauth:a"}[name]
    assert key in mistake(f'[{table}]\n{name} = "{value}\\n"')


def test_a_table_that_is_none_is_no_traceback_when_the_environment_reaches_into_it(monkeypatch):
    monkeypatch.setenv("INGEST_POLL__BATCH", "1")
    assert "poll is no table" in mistake("poll = 3")


def test_secrets_are_not_told_by_settings():
    text = (
        MAILBOX
        + 'password = "tikho"\n[smtp]\npassword = "tikho"\n'
        + '[database]\nurl = "postgresql://ingest:tikho@db/ingest"'
    )
    settings = load(write(text))
    assert "tikho" not in f"{settings!r}{settings}"


def test_every_key_tells_where_it_is_from(monkeypatch):
    monkeypatch.setenv("INGEST_POLL__WORKERS", "3")
    monkeypatch.setenv("INGEST_SMTP__PASSWORD_FILE", "/absent")
    settings = load(write("[poll]\nbatch = 7\n" + MAILBOX))
    assert settings.poll.origin("batch") == "ingest.toml, line 2"
    assert settings.poll.origin("workers") == "environment variable INGEST_POLL__WORKERS"
    assert settings.poll.origin("idle") == "default"
    assert settings.mailbox[0].origin("host") == "ingest.toml, line 5"
    with pytest.raises(SettingsError, match=r"^environment variable INGEST_SMTP__PASSWORD_FILE: "):
        settings.smtp.secret("password")


@pytest.mark.parametrize(
    ("key", "value", "told"),
    [
        ("listen", "0.0.0.0:8080", "on loopback only, and 0.0.0.0 is not"),
        ("listen", "meters.example.ru:80", "on loopback only"),
        ("public_url", "http://meters.example.ru", "it must begin with https://"),
        ("trusted_proxies", ["proxy.example"], "neither an address nor a network"),
    ],
)
def test_pages_are_never_served_in_the_clear_to_others(key, value, told):
    assert told in mistake(f"[web]\n{key} = {json.dumps(value)}")


def test_pages_are_served_on_loopback_behind_a_proxy():
    text = (
        '[web]\nlisten = "[::1]:8080"\npublic_url = "https://meters.example.ru/"\n'
        'trusted_proxies = ["10.0.0.0/8", "::1"]'
    )
    assert Service(load(write(text))).public_url == "https://meters.example.ru"


@pytest.mark.parametrize("given", ['"::1, 10.0.0.0/8"', '["::1", "10.0.0.0/8"]'])
def test_a_key_of_several_takes_a_list_or_one_text_as_the_environment_gives_it(given, monkeypatch):
    assert Service(load(write(f"[web]\ntrusted_proxies = {given}"))).trusted_proxies == (
        "::1",
        "10.0.0.0/8",
    )
    monkeypatch.setenv("INGEST_WEB__TRUSTED_PROXIES", "127.0.0.1")
    assert Service(load(write(""))).trusted_proxies == ("127.0.0.1",)


def test_folders_that_are_written_to_are_those_of_the_database_the_log_and_drops():
    Path("ingest.toml").write_text(
        '[database]\nurl = "sqlite:////var/lib/ingest/ingest.db"\n'
        '[log]\nfile = "/var/log/ingest/ingest.log"\n'
        '[[drop]]\nname = "sftp"\npath = "/srv/meters/in"\n',
        encoding="utf-8",
    )
    folders = ["/var/lib/ingest", "/var/log/ingest", "/srv/meters/in"]
    assert load(None).folders() == [Path(folder) for folder in folders]


@pytest.mark.parametrize(
    ("kind", "taken", "refused"),
    [
        ("Count", [1], [0, 1.5]),
        ("Positive", [0.001, 1], [0, -1]),
        ("NotNegative", [0], [-0.001]),
        ("Seconds", [0.001, 600], [0, 600.001]),
        ("Port", [1, 65535], [0, 65536]),
        ("Text", ["x"], [""]),
        (
            "Listen",
            ["", "localhost:1", "[::1]:65535"],
            ["localhost", "::1:80", "a b:80", "a:123456"],
        ),
        ("PerhapsUrl", ["", "http://x", "https://x"], ["ftp://x", "https://"]),
    ],
)
def test_a_kind_of_value_is_taken_up_to_its_edges(kind, taken, refused):
    for value in taken:
        assert msgspec.convert(value, getattr(settings_module, kind)) == value
    for value in refused:
        with pytest.raises(msgspec.ValidationError):
            msgspec.convert(value, getattr(settings_module, kind))


SECRETS = """[smtp]
user = "meters"
password = "tikho"
[[mailbox]]
name = "main"
host = "imap.example.ru"
password_file = "/run/secrets/mail"
[oauth.office]
grant = "client_credentials"
token_url = "https://id.example/token"
client_secret = ""
"""


def test_every_key_is_described_with_its_value_and_a_secret_is_hidden():
    told = {one.key: (one.value, one.origin) for one in described(load(write(SECRETS)))}
    assert {key: told[key] for key in (
        "smtp.user", "smtp.password", "mailbox.0.password", "mailbox.0.password_file",
        "oauth.office.client_secret", "poll.batch", "database.url",
    )} == {
        "smtp.user": ("meters", "ingest.toml, line 2"),
        "smtp.password": ("(hidden)", "ingest.toml, line 3"),
        "mailbox.0.password": ("", "default"),
        "mailbox.0.password_file": ("/run/secrets/mail", "ingest.toml, line 7"),
        "oauth.office.client_secret": ("", "ingest.toml, line 11"),
        "poll.batch": ("50", "default"),
        "database.url": ("", "default"),
    }  # fmt: skip
    assert "tikho" not in str(told)


def test_mailboxes_are_in_the_order_of_their_numbers(monkeypatch):
    for number in (10, 1, 0, 2):
        monkeypatch.setenv(f"INGEST_MAILBOX__{number}__NAME", f"m{number}")
        monkeypatch.setenv(f"INGEST_MAILBOX__{number}__HOST", "imap.example.ru")
    assert [mailbox.name for mailbox in load().mailbox] == ["m0", "m1", "m2", "m10"]


def test_a_mailbox_without_a_number_is_no_traceback(monkeypatch):
    monkeypatch.setenv("INGEST_MAILBOX__OFFICE__HOST", "imap.example.ru")
    with pytest.raises(SettingsError, match=r"^settings: mailbox\.office\.name: a value is needed"):
        load()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('[alarms]\nmail = "a@b.ru"', "[alarms] mail needs [smtp] host"),
        ('[smtp]\nhost = "smtp.b.ru"\nsender = "a@b.ru"\n[alarms]\nmail = "a@b.ru"', ""),
        ('[smtp]\nhost = "smtp.b.ru"\nsender = "Meters <a@b.ru>"', ""),
        ('[smtp]\nhost = "smtp.b.ru"\nsender = "Meters"', "sender must hold an e-mail address"),
        ('[smtp]\nauth = "oauth:office"\nuser = "a@b.ru"', "no table [oauth.office]"),
        (MAILBOX + 'user = "a@b.ru"\nauth = "oauth:x"', "no table [oauth.x]"),
        ('[smtp]\nauth = "oauth:office"\n{oauth}', "needs a user"),
        (MAILBOX + 'auth = "oauth:office"\n{oauth}', "needs a user"),
        (MAILBOX + 'auth = "oauth:office"\nuser = "a@b.ru"\n{oauth}', ""),
        (ACCOUNT + 'grant = "refresh_token"', "token_file: a place"),
        (ACCOUNT + 'grant = "refresh_token"\ntoken_file = "t"', ""),
        (ACCOUNT + 'grant = "service_account"', "service_account_file: "),
        (ACCOUNT + 'grant = "service_account"\nservice_account_file = "s"', ""),
        ('[web]\npublic_url = "http://127.0.0.1:8080"', ""),
        ('[web]\npublic_url = "http://localhost/"', ""),
        ('[web]\npublic_url = "http://[::1]:80"', ""),
        ('[web]\npublic_url = "http://:80"', "it must begin with https://"),
        ('[web]\ntrusted_proxies = ["10.1.2.3/8"]', ""),
        ('[[drop]]\nname = "a"\npath = "x"\n[[drop]]\nname = "a"\npath = "y"', "the same name"),
        ('[[drop]]\nname = "a"\npath = "x"\n[[drop]]\nname = "b"\npath = "x"', "the same path"),
        ('[replies]\nlanguage = "de"', "one of ru, en is needed"),
        ('[poll]\nidle = "perhaps"', "Expected `bool`"),
        ("drop = 3", "drop: tables are needed"),
        ("[drop]\nx = 3", "drop.x: a table is needed"),
    ],
)  # fmt: skip
def test_keys_that_need_each_other_are_seen_together(text, told):
    given = text.replace(
        "{oauth}",
        '[oauth.office]\ngrant = "client_credentials"\ntoken_url = "https://id.example/token"',
    )
    if told:
        assert told in mistake(given)
    else:
        load(write(given))


def test_a_mistake_of_the_whole_file_is_not_laid_to_a_variable(monkeypatch):
    monkeypatch.setenv("INGEST_POLL__BATCH", "7")
    assert mistake('[alarms]\nmail = "a@b.ru"').startswith("ingest.toml: settings: [alarms] mail ")


@pytest.mark.parametrize(
    ("mail", "is_taken"),
    [("a@b.ru", True), ("a@b.ru, c@d.ru", False), ("Office <a@b.ru>", False), ("a", False)],
)
def test_alarms_are_mailed_to_one_bare_address(mail, is_taken):
    text = f'[smtp]\nhost = "smtp.b.ru"\nsender = "a@b.ru"\n[alarms]\nmail = "{mail}"'
    if is_taken:
        assert load(write(text)).alarms.mail == mail
    else:
        assert "an e-mail address by itself is needed" in mistake(text)


@pytest.mark.parametrize(
    ("url", "file"),
    [
        ("sqlite:///ingest.db", "ingest.db"),
        ("sqlite:////var/lib/i.db", "/var/lib/i.db"),
        ("postgresql://db/ingest", None),
    ],
)
def test_only_sqlite_is_a_file(url, file):
    assert load(write(f'[database]\nurl = "{url}"')).database.sqlite_file() == (file and Path(file))


def test_private_files_are_all_that_exist_of_database_log_and_secrets():
    for name in ("i.db", "log", "password", "secret", "certificate", "account", "token"):
        write("", name)
    text = (
        '[database]\nurl = "sqlite:///i.db"\n[log]\nfile = "log"\n'
        '[smtp]\npassword_file = "password"\n'
        + MAILBOX + 'password_file = "absent"\n'
        + '[oauth.a]\ngrant = "service_account"\ntoken_url = "https://x"\n'
        'client_secret_file = "secret"\ncertificate_file = "certificate"\n'
        'service_account_file = "account"\ntoken_file = "token"\n'
    )  # fmt: skip
    assert set(map(str, load(write(text)).private_files())) == {
        "ingest.toml", "i.db", "log", "password", "secret", "certificate", "account", "token",
    }  # fmt: skip


def test_without_files_nothing_is_private_and_nothing_is_written_to(monkeypatch):
    monkeypatch.setenv("INGEST_DATABASE__URL", "postgresql://db/ingest")
    settings = load()
    assert (settings.private_files(), settings.folders()) == ([], [])


def test_own_addresses_are_those_that_are_sent_as_and_signed_in_as():
    text = (
        '[smtp]\nhost = "smtp.b.ru"\nsender = "Meters <Meters@B.ru>"\nuser = "relay"\n'
        + MAILBOX + 'user = "In@b.ru"\n' + SECOND
    )  # fmt: skip
    assert load(write(text)).own_addresses() == {"meters@b.ru", "in@b.ru"}


def test_a_letter_s_bound_is_told_in_megabytes():
    assert load(write("[limits]\nletter_mb = 2.5")).limits.letter_bytes == 2_621_440


def test_the_name_of_an_account_is_what_stands_behind_oauth():
    smtp = '[smtp]\nuser = "a@b.ru"\nauth = "oauth:office"\n'
    oauth = '[oauth.office]\ngrant = "client_credentials"\ntoken_url = "https://x"'
    assert load(write(smtp + oauth)).smtp.oauth == "office"
    assert not load(write('[smtp]\nuser = "a@b.ru"')).smtp.oauth
