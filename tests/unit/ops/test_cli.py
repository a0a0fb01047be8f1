"""The command `flowcrm`, as the operator types it: a few times as a process, the rest through its front door in this one."""

import os
import secrets
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from typer.testing import CliRunner

from flowcrm import __version__
from flowcrm.ops import cli, postgres, roles
from flowcrm.ops.errors import OpsError, Refused
from flowcrm.ops.home import APP_ROLE, Home

pytestmark = pytest.mark.needs_postgres


def flowcrm(environment: dict[str, str], *words: str) -> subprocess.CompletedProcess[str]:
    # Wide enough that no sentence is broken.
    wide = environment | {"COLUMNS": "300"}
    return subprocess.run(
        [sys.executable, "-m", "flowcrm", *words], env=wide, capture_output=True, text=True, timeout=120, check=False
    )


@pytest.fixture
def run() -> Callable[..., str]:
    """Run a command in this process, on the worker's database; gives what it prints, raises what it raises."""
    app, runner = cli.application(), CliRunner()

    def invoke(*words: str) -> str:
        result = runner.invoke(app, words, env={"COLUMNS": "300"})
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        assert result.exit_code == 0, result.output
        return result.output

    return invoke


@pytest.fixture
def account(run: Callable[..., str]) -> str:
    """The name of a new account."""
    name = f"acme-{secrets.token_hex(6)}"
    run("workspace", "create", name)
    return name


@pytest.fixture
def nothing(tmp_path: Path) -> Iterator[dict[str, str]]:
    """The environment of a machine on which nothing was ever started."""
    home = Home(tmp_path / "nothing")
    yield {name: value for name, value in os.environ.items() if "DATABASE_URL" not in name} | {"FLOWCRM_HOME": str(home.path)}
    if home.data.exists():
        postgres.stop(home)
        shutil.rmtree(home.data.resolve())
        shutil.rmtree(home.sockets)


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@pytest.mark.parametrize("command", ["serve", "web"])
def test_a_taken_port_is_refused_before_anything_starts(nothing: dict[str, str], command: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = flowcrm(nothing, command, f"--port={port}")
    assert done.returncode == 1
    assert done.stderr == f"flowcrm: Port {port} is taken by another program. Choose another one: --port {port + 1}\n"
    assert not Path(nothing["FLOWCRM_HOME"]).exists()


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ("serve --port 99999", "There is no port 99999. Choose one from 1 to 65535."),
        ("web --port 0", "There is no port 0."),
        ("web --host 192.0.2.1 --certificate C --key K", "192.0.2.1 is not an address of this machine."),
        ("demo --port 99999", "There is no port 99999."),
    ],
)
def test_an_impossible_port_gets_a_sentence(nothing: dict[str, str], words: str, sentence: str) -> None:
    done = flowcrm(nothing, *words.split())
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert done.stderr.startswith(f"flowcrm: {sentence}")
    assert not Path(nothing["FLOWCRM_HOME"]).exists()


@pytest.mark.parametrize("home", ["/proc/none", "/dev/null", "/dev/null/below"])
@pytest.mark.parametrize("words", ["import .", "export -", "serve --port PORT", "workspace list", "migrate", "postgres start"])
def test_an_impossible_home_gets_a_sentence_with_the_remedy(nothing: dict[str, str], home: str, words: str) -> None:
    done = flowcrm(nothing | {"FLOWCRM_HOME": home}, *words.replace("PORT", str(free_port())).split())
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert done.stderr.startswith(f"flowcrm: {home} cannot be the installation's folder: ")
    assert "Set FLOWCRM_HOME" in done.stderr


@pytest.mark.parametrize("words", ["import .", "export -", "workspace list", "migrate", "worker"])
def test_an_address_that_is_none_gets_a_sentence_without_it(nothing: dict[str, str], words: str) -> None:
    done = flowcrm(nothing | {"DATABASE_URL": "secret nonsense"}, *words.split())
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert done.stderr.startswith("flowcrm: DATABASE_URL is not the address of a PostgreSQL server.")
    assert "secret" not in done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("broken", [{"FLOWCRM_HOME": "/proc/none"}, {"DATABASE_URL": "secret nonsense"}])
def test_the_doctor_tests_the_other_parts_where_one_is_broken(nothing: dict[str, str], broken: dict[str, str]) -> None:
    offline = {"GOOGLE_TOKEN_URL": "https://127.0.0.1:9/token", "GMAIL_API_URL": "https://127.0.0.1:9"}
    done = flowcrm({name: value for name, value in nothing.items() if name != "COLUMNS"} | offline | broken, "doctor")
    assert (done.returncode, done.stderr) == (1, "")
    for part in ("python", "folders", "database", "large content", "web", "providers"):
        assert any(line.startswith(f"│ {part} ") for line in done.stdout.splitlines()), part
    assert "secret" not in done.stdout


def test_inspect_needs_no_home(nothing: dict[str, str]) -> None:
    assert flowcrm(nothing | {"FLOWCRM_HOME": "/dev/null/below"}, "inspect", "/dev/null").returncode == 0


def test_the_version_is_printed(nothing: dict[str, str]) -> None:
    assert flowcrm(nothing, "--version").stdout == f"flowcrm {__version__}\n"


def test_a_full_disk_behind_standard_output_gets_a_sentence(nothing: dict[str, str]) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "flowcrm", "--help"], env=nothing, stdout=full, stderr=subprocess.PIPE, check=False
        )
    assert (done.returncode, done.stderr) == (1, b"flowcrm: Standard output cannot be written: No space left on device.\n")


@pytest.mark.slow
def test_a_command_starts_the_embedded_database_and_makes_its_tables(nothing: dict[str, str]) -> None:
    assert flowcrm(nothing, "workspace", "create", "acme").returncode == 0
    assert "acme" in flowcrm(nothing, "workspace", "list").stdout


def test_on_a_server_of_one_s_own_without_tables_it_says_what_to_do(server: Home, installation: dict[str, str]) -> None:
    roles.create_database(postgres.maintenance_url(server), "no_tables")
    bare = {name: value for name, value in installation.items() if name != "DATABASE_URL_OWNER"}
    bare |= {"DATABASE_URL": server.database_url(APP_ROLE, "no_tables")}
    try:
        done = flowcrm(bare, "worker")
        assert (done.returncode, done.stderr.count("\n")) == (1, 1)
        assert "run: flowcrm migrate" in done.stderr
    finally:
        with psycopg.connect(postgres.maintenance_url(server), autocommit=True) as connection:
            connection.execute("DROP DATABASE no_tables WITH (FORCE)")


def test_from_nothing_to_somebody_who_may_sign_in(installation: dict[str, str]) -> None:
    nothing = flowcrm(installation, "member", "add", "anna@acme.ch")
    assert nothing.returncode == 1
    assert nothing.stderr == "flowcrm: There is no account yet. Make one: flowcrm workspace create NAME\n"
    assert flowcrm(installation, "workspace", "create", "acme", "--time-zone", "Europe/Zurich").returncode == 0
    made = flowcrm(installation, "member", "add", "Anna@Acme.ch", "--name", "Anna", "--role", "admin")
    assert "Password, shown only now: " in made.stdout
    with psycopg.connect(installation["DATABASE_URL_OWNER"]) as connection:
        found = connection.execute(
            "SELECT p.email, m.role, m.name FROM member m JOIN person p ON p.id = m.person_id"
        ).fetchall()
    assert found == [("anna@acme.ch", "admin", "Anna")]


def test_serve_refuses_other_machines_without_tls_in_one_sentence_k50(installation: dict[str, str]) -> None:
    done = flowcrm(installation, "serve", "--host", "0.0.0.0", "--port", str(free_port()))
    assert done.returncode == 1
    assert done.stderr.startswith("flowcrm: 0.0.0.0 can be reached from other machines; without TLS")
    assert len(done.stderr.splitlines()) == 1


def test_web_refuses_other_machines_without_tls_k50(run: Callable[..., str]) -> None:
    with pytest.raises(OpsError, match="TLS"):
        run("web", "--host", "0.0.0.0")


def test_a_home_open_to_others_is_refused_before_anything_starts(installation: dict[str, str]) -> None:
    subprocess.run(["chmod", "755", f"{installation['FLOWCRM_HOME']}/keys"], check=True)
    assert "chmod 700" in flowcrm(installation, "worker").stderr


def test_help_names_every_command(run: Callable[..., str]) -> None:
    assert all(f" {name} " in run("--help") for name in cli.COMMANDS)


def test_accounts_are_listed_with_their_plan_and_people(run: Callable[..., str], account: str) -> None:
    run("member", "add", "anna@acme.ch", "--account", account)
    [line] = [line for line in run("workspace", "list").splitlines() if account in line]
    assert "professional" in line
    assert line.rstrip("│ ").endswith("1")


def test_a_plan_is_changed_by_name(run: Callable[..., str], account: str) -> None:
    assert "Enterprise" in run("workspace", "plan", account, "Enterprise")
    assert "enterprise" in next(line for line in run("workspace", "list").splitlines() if account in line)


def test_a_person_keeps_one_password_over_several_accounts(run: Callable[..., str], account: str) -> None:
    email = f"{secrets.token_hex(6)}@acme.ch"
    assert "Password" in run("member", "add", email, "--account", account)
    assert "Password" not in run("member", "add", email.upper(), "--account", account, "--role", "admin")


def test_whoever_is_added_again_keeps_what_is_not_given(run: Callable[..., str], account: str) -> None:
    email = f"{secrets.token_hex(6)}@acme.ch"
    run("member", "add", email, "--account", account, "--name", "Anna Berg", "--role", "admin")
    assert "as admin" in run("member", "add", email, "--account", account)
    with psycopg.connect(os.environ["DATABASE_URL_OWNER"]) as connection:
        query = "SELECT m.name, m.role FROM member m JOIN person p ON p.id = m.person_id WHERE p.email = %s"
        assert connection.execute(query, [email]).fetchall() == [("Anna Berg", "admin")]
    run("workspace", "create", f"{account}-too")
    run("member", "add", email, "--account", f"{account}-too")
    with psycopg.connect(os.environ["DATABASE_URL_OWNER"]) as connection:
        assert sorted(connection.execute(query, [email]).fetchall()) == [("Anna Berg", "admin"), ("Anna Berg", "user")]


def test_an_account_must_be_named_among_several(run: Callable[..., str], account: str) -> None:
    run("workspace", "create", f"{account}-too")
    with pytest.raises(Refused, match=f"--account: .*{account}, {account}-too"):
        run("member", "add", "anna@acme.ch")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ("workspace plan ACCOUNT gold", "There is no plan gold. Choose one of: starter, professional, enterprise."),
        ("workspace plan nobody starter", "There is no account nobody."),
        ("workspace create Acme_Corp", "Acme_Corp cannot be an account's name"),
        ("workspace create ACCOUNT", "An account has, or had, the name"),
        ("workspace create another-one --time-zone Moon/Base", "There is no time zone Moon/Base."),
        ("workspace create another-one --plan gold", "There is no plan gold."),
        ("member add anna --account ACCOUNT", "anna is not an email address."),
        (f"member add {'a' * 250}@acme.ch --account ACCOUNT", "An email address may have 254 characters; this one has 258."),
        (f"member add anna@acme.ch --name {'a' * 201} --account ACCOUNT", "A name may have 200 characters; this one has 201."),
        ("member add anna@acme.ch --account ACCOUNT --role boss", "There is no role boss."),
        ("member add anna@acme.ch --account ACCOUNT --time-zone Zurich", "There is no time zone Zurich."),
    ],
)
def test_wrong_words_get_a_sentence(run: Callable[..., str], account: str, words: str, sentence: str) -> None:
    with pytest.raises(Refused) as refused:
        run(*(account if word == "ACCOUNT" else word for word in words.split()))
    assert sentence in str(refused.value)


def test_what_a_server_of_one_s_own_needs_is_printed(run: Callable[..., str]) -> None:
    assert "CREATE DATABASE flowcrm OWNER flowcrm_owner" in run("postgres", "roles")
    assert "gin_pending_list_limit = 16MB" in run("postgres", "settings")
