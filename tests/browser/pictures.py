"""The pictures of the documents, taken of the demo: `python -m tests.browser.pictures` writes docs/images."""

import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Error, Page, expect, sync_playwright

from tests.browser.product import ROOT, free_port, launch, tab
from tests.chromium import find as find_chromium

IMAGES = ROOT / "docs" / "images"
MOST_BYTES = 200_000
WHO = "daniel@acme.example"
# Starting the database and filling two mailboxes, on a busy machine.
PATIENCE = 180


def main() -> None:
    chromium = find_chromium()
    if chromium is None:
        sys.exit("There is no Chromium on this machine. Run as root: make setup")
    IMAGES.mkdir(parents=True, exist_ok=True)
    with demo() as (url, password), sync_playwright() as playwright, closing(launch(playwright, chromium)) as browser:
        _take(browser, url, password)


@contextmanager
def demo() -> Iterator[tuple[str, str]]:
    """A demo of its own; gives its address and the password of WHO, as it printed them."""
    port = free_port()
    command = [sys.executable, "-m", "flowcrm", "demo", f"--port={port}", "--google-port=0"]
    with tempfile.TemporaryDirectory(prefix="flowcrm-pictures-") as folder:
        # The database runs as another user.
        Path(folder).chmod(0o711)
        said = Path(folder) / "said"
        environment = os.environ | {"FLOWCRM_HOME": f"{folder}/home", "PYTHONUNBUFFERED": "1"}
        with said.open("wb") as output:
            running = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=output, stderr=subprocess.STDOUT)
        try:
            yield f"http://127.0.0.1:{port}", _password(said, running)
        finally:
            running.terminate()
            running.wait(60)


def _password(said: Path, running: "subprocess.Popen[bytes]") -> str:
    ends_at = time.monotonic() + PATIENCE
    while time.monotonic() < ends_at and running.poll() is None:
        shown = re.search(rf"{WHO}\s+(\S+)", said.read_text())
        if shown:
            return shown[1]
        time.sleep(0.5)
    sys.exit(f"The demo did not start: {said.read_text()}")


def _take(browser: Browser, url: str, password: str) -> None:
    with tab(browser, height=860) as page:
        _reach(page, f"{url}/sign-in/")
        page.get_by_label("Email address").fill(WHO)
        page.get_by_label("Password").fill(password)
        page.get_by_role("button", name="Sign in", exact=True).click()
        page.wait_for_url("**/emails")
        page.goto(f"{url}/settings/integrations")
        expect(page.locator(".badge.good").first).to_be_visible(timeout=PATIENCE * 1000)
        page.reload()
        _save(page, "integrations-light.png")
        _open_a_full_thread(page, url)
        _save(page, "contact-light.png")


def _reach(page: Page, url: str) -> None:
    """The pages answer a moment after the sign-ins were printed."""
    for _ in range(PATIENCE):
        try:
            page.goto(url)
        except Error:
            page.wait_for_timeout(1000)
        else:
            return


def _open_a_full_thread(page: Page, url: str) -> None:
    """On the Emails tab of the first contact who has one with files, several emails and other threads below it."""
    page.goto(f"{url}/contacts")
    contacts = [str(link.get_attribute("href")) for link in page.locator("[data-row] .row-link").all()]
    for contact in contacts:
        page.goto(f"{url}{contact}/emails")
        lines = page.locator("[data-row]")
        full = lines.filter(has_text="With files").filter(has=page.locator(".thread-people .number"))
        if lines.count() > 1 and full.count():
            full.first.locator(".row-link").click()
            expect(page.locator(".thread-inside .mail-body").last).to_be_visible()
            _until_frames_are_drawn(page)
            return
    sys.exit("No contact of the demo has such a thread.")


def _until_frames_are_drawn(page: Page) -> None:
    """A page that listens is never idle on the network."""
    drawn = "Array.from(document.querySelectorAll('[data-mail-frame]')).every(one => one.style.height)"
    page.wait_for_function(drawn)


def _save(page: Page, name: str) -> None:
    picture = page.screenshot()
    if len(picture) > MOST_BYTES:
        sys.exit(f"{name} has {len(picture):,} bytes; {MOST_BYTES:,} at most.")
    (IMAGES / name).write_bytes(picture)
    sys.stdout.write(f"{name}: {len(picture):,} bytes\n")


if __name__ == "__main__":
    main()
