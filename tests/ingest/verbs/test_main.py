"""How a verb ends: a code, and one sentence about whatever went wrong."""

import resource

import click
import pytest

from config.settings import SettingsError
from ingest.operations.refused import Refused
from ingest.verbs.main import cli, main
from ingest.verbs.types import Call, Verb


class AdvisedError(ConnectionError):
    """A server that is away, and what to do."""

    advice = "start it"


@pytest.mark.parametrize(
    ("fault", "code", "sentence"),
    [
        (click.exceptions.Abort(), 130, ""),
        (click.UsageError("no such verb"), 2, "no such verb"),
        (ConnectionError("it is away"), 3,
         "it is away (`ingest doctor` tries everything and says what to do)"),
        (AdvisedError("it is away"), 3, "it is away (start it)"),
        (SettingsError("line 2: wrong"), 2, "line 2: wrong"),
        (Refused("no such letter"), 2, "no such letter"),
        (FileNotFoundError(2, "No such file", "a.csv"), 2, "a.csv: No such file"),
        (OSError(28, "No space left"), 2, "the system: No space left"),
        (OSError("odd"), 2, "the system: odd"),
    ],
)  # fmt: skip
def test_every_fault_is_one_sentence_and_a_code(monkeypatch, capsys, fault, code, sentence):
    def run(**_options):
        raise fault

    monkeypatch.setattr(cli, "main", run)
    monkeypatch.setattr(resource, "setrlimit", lambda *_: None)
    with pytest.raises(SystemExit) as left:
        main()
    assert left.value.code == code
    assert capsys.readouterr().err == (f"ingest: {sentence}\n" if sentence else "")


def test_a_fault_of_our_own_goes_on(monkeypatch):
    def run(**_options):
        raise ValueError("what a letter held")

    monkeypatch.setattr(cli, "main", run)
    monkeypatch.setattr(resource, "setrlimit", lambda *_: None)
    with pytest.raises(ValueError, match="what a letter held"):
        main()


@pytest.mark.parametrize(("code", "left"), [(0, 0), (1, 1), (None, 0), ("text", 0)])
def test_a_verb_ends_with_its_code(monkeypatch, code, left):
    limits = []
    monkeypatch.setattr(cli, "main", lambda **_options: code)
    monkeypatch.setattr(resource, "setrlimit", lambda *given: limits.append(given))
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == left
    # Passwords go through this memory: no core file.
    assert limits == [(resource.RLIMIT_CORE, (0, 0))]


def test_a_configuration_is_named_once_or_not_at_all(tmp_path):
    @click.command()
    @click.pass_obj
    def told(call):
        click.echo(str(call.config))

    verb = Verb("told", callback=told.callback)
    named = tmp_path / "a.toml"
    for words, config in (([], None), (["--config", str(named)], named)):
        call = Call()
        verb.main(words, obj=call, standalone_mode=False)
        assert call.config == config
