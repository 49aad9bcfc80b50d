"""A headless Chromium; and in it the Web UI of a case, as an operator would use it."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar, cast
from urllib.parse import quote

from selenium import webdriver
from selenium.common.exceptions import StaleElementReferenceException
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import WebDriverWait

T = TypeVar("T")

PATIENCE = 30.0
"""Seconds until something on the page must be there."""


def find_chromium() -> tuple[str, str] | None:
    """The browser and its driver, of one version as Debian ships them; None where one is missing."""
    browser, driver = shutil.which("chromium"), shutil.which("chromedriver")
    return (browser, driver) if browser and driver else None


@contextmanager
def headless() -> Iterator[webdriver.Chrome]:
    """A browser without a window."""
    found = find_chromium()
    assert found, "chromium and chromedriver are missing"
    options = webdriver.ChromeOptions()
    options.binary_location = found[0]
    # The sandbox needs rights that containers lack; the pages are our own server's.
    for argument in ("headless=new", "no-sandbox", "disable-dev-shm-usage", "disable-gpu", "hide-scrollbars"):
        options.add_argument(f"--{argument}")
    driver = webdriver.Chrome(options, Service(found[1]))
    try:
        yield driver
    finally:
        driver.quit()


@contextmanager
def open_page(ui_url: str, case: str, *, height: int = 1000) -> Iterator[Page]:
    """The page of a case in a window of 1400 pixels by this height."""
    with headless() as driver:
        driver.set_window_size(1400, height)
        yield Page(driver, f"{ui_url}/namespaces/default/workflows/{quote(case, safe='')}")


class Page:
    """What an operator sees and does."""

    def __init__(self, driver: webdriver.Chrome, url: str) -> None:
        self._driver = driver
        driver.get(url)
        self._case = url.rpartition("/")[2]
        # Chromium first goes to the newest run and its timeline.
        self._until(lambda: driver.current_url.endswith("/timeline"), "the page of the case")
        self._base = driver.current_url.removesuffix("/timeline")

    def metadata(self) -> str:
        """Title, details and Current Details as text."""
        self._open("user-metadata")
        return self._until(self._frames, "the details of the case")

    def attributes(self) -> str:
        """The search attributes as JSON."""
        self._open("search-attributes")

        def read() -> str:
            found = self._driver.find_elements(By.CSS_SELECTOR, ".cm-content")
            return "\n".join(element.text for element in found if "OrderId" in element.text)

        return self._until(read, "the search attributes")

    def send_update(self, name: str, payload: str) -> None:
        """More Actions → Send an Update → name and payload → Submit."""
        self._click("button", "More Actions")
        self._click("[role=menuitem]", "Send an Update")
        dialog = "#update-confirmation-modal[open]"
        self._click(f"{dialog} [data-testid=update-select-button]")
        self._click(f"{dialog} [role=option]", name)
        self._until(lambda: self._shown(f"{dialog} .cm-content"), "field for the payload").send_keys(payload)
        # On leaving the field the dialog lays the JSON out and grows: Submit would move away under the pointer.
        self._driver.execute_script("document.activeElement.blur()")
        self._click(f"{dialog} [data-testid=confirm-modal-button]", "Submit")
        self._until(lambda: not self._shown(dialog), "end of the dialog")

    def picture(self, file: Path) -> None:
        """Save what the window shows."""
        self._driver.save_screenshot(str(file))

    def _open(self, tab: str) -> None:
        self._driver.get(f"{self._base}/{tab}")

    def _frames(self) -> str:
        """The text of all frames: Markdown is shown in frames of its own."""
        texts = []
        for frame in self._driver.find_elements(By.TAG_NAME, "iframe"):
            self._driver.switch_to.frame(frame)
            texts.append(self._driver.find_element(By.TAG_NAME, "body").text)
            self._driver.switch_to.default_content()
        return "\n\n".join(texts) if len(texts) >= 3 and all(texts) else ""

    def _shown(self, css: str, text: str = "") -> WebElement | None:
        """The first element that is shown and has this text on its first line; the page holds hidden twins of many."""
        for element in self._driver.find_elements(By.CSS_SELECTOR, css):
            if element.is_displayed() and (not text or element.text.partition("\n")[0] == text):
                return element
        return None

    def _click(self, css: str, text: str = "") -> None:
        def clicked() -> bool:
            element = self._shown(css, text)
            if element is None or not element.is_enabled():
                return False
            element.click()
            return True

        self._until(clicked, f"{text or css} to click")

    def _until(self, read: Callable[[], T | None], what: str) -> T:
        ignored = [StaleElementReferenceException]
        return WebDriverWait(self._driver, PATIENCE, ignored_exceptions=ignored).until(
            lambda _: cast(T, read()), f"no {what}"
        )
