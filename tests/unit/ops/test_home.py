"""The installation's folders are closed to others, and its addresses fit into a Unix socket's name."""

import os
import stat
from pathlib import Path

import pytest
from psycopg.conninfo import conninfo_to_dict

from flowcrm.ops.errors import HomeRefused
from flowcrm.ops.home import Home, current_home, default_home


@pytest.fixture
def home(tmp_path: Path) -> Home:
    made = Home(tmp_path / "home")
    made.prepare()
    return made


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_fresh_home_is_closed_to_others(home: Home) -> None:
    for folder in (home.blobs, home.keys, home.logs, home.run):
        assert mode(folder) == 0o700
    assert mode(home.path) & 0o022 == 0
    assert mode(home.secret_key_file) == 0o600


def test_preparing_again_keeps_the_secret_key(home: Home) -> None:
    key = home.secret_key_file.read_text()
    home.prepare()
    assert home.secret_key_file.read_text() == key
    assert len(key) > 50


def test_every_installation_has_its_own_secret_key(tmp_path: Path) -> None:
    homes = [Home(tmp_path / name) for name in ("a", "b")]
    for one in homes:
        one.prepare()
    assert homes[0].secret_key_file.read_text() != homes[1].secret_key_file.read_text()


@pytest.mark.parametrize("folder", ["keys", "blobs", "logs", "run"])
def test_an_open_folder_is_refused_by_name_with_the_remedy(home: Home, folder: str) -> None:
    (home.path / folder).chmod(0o750)
    with pytest.raises(HomeRefused, match=f"chmod 700 .*/{folder}$"):
        home.prepare()


def test_a_folder_closed_to_its_owner_is_refused_by_name_with_the_remedy(home: Home) -> None:
    home.keys.chmod(0)
    with pytest.raises(HomeRefused, match=r"closed to its owner, too \(mode 0000\)\. Run: chmod 700 .*/keys$"):
        home.prepare()
    home.keys.chmod(0o700)


def test_a_home_that_others_may_write_is_refused(home: Home) -> None:
    home.path.chmod(0o777)
    with pytest.raises(HomeRefused, match="chmod go-w"):
        home.prepare()


@pytest.mark.parametrize("depth", [1, 5, 40])
def test_the_socket_fits_into_its_name_however_deep_the_home(tmp_path: Path, depth: int) -> None:
    home = Home(tmp_path.joinpath(*["folder"] * depth))
    assert len(os.fsencode(home.sockets / ".s.PGSQL.5432.lock")) <= 107


def test_two_homes_never_share_a_socket(tmp_path: Path) -> None:
    deep = tmp_path.joinpath(*["folder"] * 40)
    assert Home(deep / "a").sockets != Home(deep / "b").sockets


def test_a_role_s_address_leads_to_the_socket(home: Home) -> None:
    parts = conninfo_to_dict(home.database_url("flowcrm_app", "acme"))
    assert parts == {"user": "flowcrm_app", "dbname": "acme", "host": str(home.sockets)}


def test_the_environment_names_the_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("FLOWCRM_HOME", str(tmp_path / "elsewhere"))
    assert current_home().path == tmp_path / "elsewhere"
    monkeypatch.delenv("FLOWCRM_HOME")
    assert current_home().path == default_home()


def test_without_a_name_it_goes_where_a_user_s_data_go(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert default_home() == tmp_path / "flowcrm"
