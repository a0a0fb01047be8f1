"""Dovecot with a configuration of its own, on this machine only, all mail in one folder that goes when it ends.

Debian's package dovecot-imapd; doc.dovecot.org/2.3. Started as root it reads mail as nobody: it refuses to as root.
"""

import getpass
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Self

PASSWORD = "dovecot-password"
_BINARIES = ("/usr/sbin/dovecot", "/usr/local/sbin/dovecot")

_CONFIG = """
protocols = imap
listen = 127.0.0.1
base_dir = {folder}/run
state_dir = {folder}/run
log_path = {folder}/log
ssl = {ssl}
{certificate}
disable_plaintext_auth = no
auth_mechanisms = plain login
auth_cache_size = 0
auth_failure_delay = 0
mail_location = sdbox:~/mail
mail_max_userip_connections = 200
first_valid_uid = 1
default_process_limit = 200
default_internal_user = {internal}
default_login_user = {login}
default_internal_group = {internal}
passdb {{
  driver = static
  args = password={password}
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={folder}/home/%u
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {port}
  }}
  inet_listener imaps {{
    port = {tls_port}
  }}
}}
service anvil {{
  chroot =
}}
service stats {{
  chroot =
}}
namespace inbox {{
  inbox = yes
  separator = /
  mailbox Drafts {{
    special_use = \\Drafts
    auto = subscribe
  }}
  mailbox Junk {{
    special_use = \\Junk
    auto = subscribe
  }}
  mailbox Sent {{
    special_use = \\Sent
    auto = subscribe
  }}
  mailbox Trash {{
    special_use = \\Trash
    auto = subscribe
  }}
}}
"""


def binary() -> str | None:
    """Where Dovecot is, or None."""
    return next((path for path in _BINARIES if Path(path).exists()), shutil.which("dovecot"))


class Dovecot:
    """A running server. Any user name is an account with `PASSWORD`; its mailbox is made when it first signs in.

    certificate: PEM files (certificate, key) for TLS on `tls_port` and STARTTLS on `port`.
    """

    def __init__(self, certificate: tuple[Path, Path] | None = None) -> None:
        found = binary()
        if found is None:
            raise FileNotFoundError("Dovecot is not installed (package dovecot-imapd)")
        self._binary = found
        self._certificate = certificate
        self._folder = Path(tempfile.mkdtemp(prefix="flowcrm-imap-"))
        self.port, self.tls_port = _free_port(), _free_port()
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self._folder.chmod(0o755)
        home = self._folder / "home"
        home.mkdir()
        user = pwd.getpwnam("nobody" if getpass.getuser() == "root" else getpass.getuser())
        if getpass.getuser() == "root":
            shutil.chown(home, user.pw_uid, user.pw_gid)
        config = self._folder / "dovecot.conf"
        config.write_text(self._config(user))
        self._process = subprocess.Popen([self._binary, "-F", "-c", str(config)])
        self._wait()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(timeout=20)
        shutil.rmtree(self._folder, ignore_errors=True)

    def _config(self, user: pwd.struct_passwd) -> str:
        own = user.pw_name
        certificate, key = self._certificate or ("", "")
        return _CONFIG.format(
            folder=self._folder,
            ssl="yes" if self._certificate else "no",
            certificate=f"ssl_cert = <{certificate}\nssl_key = <{key}" if self._certificate else "",
            internal="dovecot" if own == "nobody" else own,
            login="dovenull" if own == "nobody" else own,
            password=PASSWORD,
            uid=user.pw_uid,
            gid=user.pw_gid,
            port=self.port,
            tls_port=self.tls_port if self._certificate else 0,
        )

    def _wait(self) -> None:
        for _ in range(200):
            try:
                with socket.create_connection(("127.0.0.1", self.port), timeout=1) as line:
                    if line.recv(4) == b"* OK":
                        return
            except OSError:
                pass
            if self._process is not None and self._process.poll() is not None:
                break
            time.sleep(0.05)
        log = self._folder / "log"
        raise RuntimeError(f"Dovecot does not answer: {log.read_text()[-2000:] if log.exists() else ''}")


def _free_port() -> int:
    with socket.socket() as line:
        line.bind(("127.0.0.1", 0))
        return int(line.getsockname()[1])
