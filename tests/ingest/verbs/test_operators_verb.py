"""Operators of the console, made and switched off by verbs."""

GIVEN = "Osen v parke 9"


def test_what_was_made_is_shown_once_and_what_was_given_never(run):
    made = run("operator", "add", "anna", "--role", "works")
    assert made.code == 0
    assert [line.partition(": ")[0] for line in made.out.splitlines()] == [
        "password", "second factor"
    ]  # fmt: skip
    assert "otpauth://" in made.out
    alone = run("operator", "add", "boris", "--role", "looks", "--without-second-factor")
    assert [line.partition(": ")[0] for line in alone.out.splitlines()] == ["password"]
    given = run("operator", "add", "vera", "--role", "administers", stdin=f"{GIVEN}\n".encode())
    assert (given.code, GIVEN in given.out, "password:" in given.out) == (0, False, False)
    rows = {row["name"]: row for row in run("operator", "list", "--json").rows}
    told = {name: (row["role"], row["active"], row["second_factor"]) for name, row in rows.items()}
    assert told == {
        "anna": ("works", True, True),
        "boris": ("looks", True, False),
        "vera": ("administers", True, True),
    }


def test_an_operator_is_switched_off_once(run):
    run("operator", "add", "anna", "--role", "works")
    assert run("operator", "off", "anna").out == "anna is switched off\n"
    again = run("operator", "off", "anna")
    assert (again.code, again.complaint) == (2, "anna: no operator of this name is let in")
    [row] = run("operator", "list", "--json").rows
    assert row["active"] is False
    assert "anna" in run("operator", "list").out


def test_a_role_is_one_of_three(run):
    assert run("operator", "add", "anna", "--role", "owner").code == 2
    assert run("operator", "add", "anna").code == 2
