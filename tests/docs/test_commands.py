"""Every command that the documentation shows is run, on a relay that is there in place of the one named."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import cast, get_args

import pytest

from harness.fakes.embedded import EmbeddedPair
from tests.docs.pages import ROOT, commands, pages
from tests.plugin.conftest import PATIENT
from tests.support.coturn import PASSWORD, USERNAME, Coturn
from tests.support.preloaded import Program, ended, start

# Not run here: the test that runs it, or the reason.
ELSEWHERE = {
    r"make (install|scenarios|test|check|format|help)": "continuous integration runs these themselves",
    r"(HARNESS_TARGET=\S+ )?make nightly.*": "tests/docs/test_ci_recipes.py",
    r"pip install '?voice-relay-harness.*": "tests/product/test_installed.py",
    r"harness init .*|pytest voice/ .*": "tests/product/test_installed.py",
    r"make allure": "tests/plugin/test_allure.py",
    r"(HARNESS_ALL_PAGES=1 )?pytest tests/.*": "continuous integration runs these with all others",
    r"\. \.venv/bin/activate": "a command of the shell",
    r"harness demo": "tests/cli/test_demo.py",
    r"harness (capacity|soak) .*": "tests/load/test_capacity.py",
    r"locust .*": "tests/load/test_locust.py",
    r"RECONNECTS=50 .*": "tests/call/test_reconnecting.py",
    r"harness watch .*": "tests/cli/test_watch.py",
    r"harness behind .*": "tests/fakes/behind/test_running.py",
    r"harness page .*": "tests/cli/test_page.py",
    r"make docs": "tests/tools/test_pages.py",
    r"OPENAI_BASE_URL=\S+ .*npm run dev": "tests/docs/test_grey_box.py",
}
SOCKET_URL = re.compile(r"wss://staging\.example\.com/\S*")
OFFER_URL = re.compile(r"https?://[\w.:-]+/api/voice/webrtc/session")
FAKE = re.compile(r"--fake-openai \S+")
FAKE_URL = re.compile(r"http://127\.0\.0\.1:8089")
SERVER = re.compile(r"(\w+=\S+ )*harness (fake-openai|relay) .*")
NEEDS_A_SHELL = re.compile(r"[$`*?~;&|<>(){}\[\]!#\\]")
BIND = re.compile(r"--bind \S+")
ALL_SCENARIOS = re.compile(r"pytest scenarios/(?=\s|$)")
STUN = re.compile(r"(?<=stun:)(stun|turn)\.example\.com")
TURN = re.compile(r"(?<=turn:)turn\.example\.com")
TURNS = re.compile(r"(?<=turns:)turn\.example\.com:443")
SIDE_BY_SIDE = 4


@dataclass(frozen=True)
class Shown:
    """A command, and the page that shows it."""

    page: str
    text: str

    def __str__(self) -> str:
        return f"{self.page}: {self.text}"


def shown() -> list[Shown]:
    """Each command once, but for those that are run elsewhere."""
    found: dict[str, Shown] = {}
    for page in pages():
        for text in commands(page):
            found.setdefault(text, Shown(page.name, text))
    return [s for s in found.values() if not any(re.fullmatch(known, s.text) for known in ELSEWHERE)]


@dataclass(frozen=True)
class Place:
    """Where commands are run: a folder for reports with an earlier run in it, two pairs, ICE servers."""

    reports: Path
    pair: EmbeddedPair
    breakable: EmbeddedPair
    coturn: Coturn

    def translated(self, command: str) -> str:
        """The command with what is here in place of what it names."""
        pair = self.breakable if command.startswith("curl") else self.pair
        command = SOCKET_URL.sub(pair.offer_url.replace("http", "ws", 1), command)
        command = OFFER_URL.sub(pair.offer_url, command)
        command = FAKE.sub(f"--fake-openai {pair.fake}", command)
        command = FAKE_URL.sub(pair.fake, command)
        command = BIND.sub("--bind 127.0.0.1:0", command)
        # One scenario stands for all, a quick one where the command leaves the choice.
        choosy = re.search("--area|--requirement", command)
        one = "first_turn_english" if choosy else "session_update_only"
        command = ALL_SCENARIOS.sub(f"pytest scenarios/{one}.py", command)
        command = STUN.sub(f"127.0.0.1:{self.coturn.port}", command)
        command = TURN.sub(f"127.0.0.1:{self.coturn.port}", command)
        command = TURNS.sub(f"127.0.0.1:{self.coturn.tls_port}", command)
        command = re.sub(r"(harness doctor \S+)", rf"\1 {' '.join(PATIENT)}", command)
        command = command.replace("--reports reports/latest", "")  # a folder of its own, as all others
        command = re.sub(r"calls/\d+-\w+/", "calls/*/", command)
        return re.sub(r"\breports/", f"{self.reports}/", command)

    def environment(self, name: str) -> dict[str, str]:
        """As a shell has it in which the harness is installed."""
        return {
            **os.environ,
            "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
            "NO_COLOR": "1",
            "HARNESS_CONFIG": str(self.named_targets),
            "HARNESS_ICE_USERNAME": USERNAME,
            "HARNESS_ICE_CREDENTIAL": PASSWORD,
            "HARNESS_ICE_CA": str(self.coturn.certificate.ca),
            "PYTEST_ADDOPTS": f"-p no:cacheprovider {' '.join(PATIENT)} --reports={self.reports}/{name}",
        }

    @property
    def named_targets(self) -> Path:
        """The harness.toml of a reader who calls the pair `staging`: written once, since many read it."""
        return self.reports / "harness.toml"

    def run(self, number: int, command: str) -> tuple[int, str]:
        """Exit code and output; a server is asked to stop once it says that it is ready."""
        here, environment = self.translated(command), self.environment(f"shown-{number}")
        words = [] if NEEDS_A_SHELL.search(here) else shlex.split(here)
        while words and (assigned := re.fullmatch(r"(\w+)=(.*)", words[0])):
            environment[assigned[1]] = assigned[2]
            words = words[1:]
        if not words or words[0] not in get_args(Program):
            arguments = ["bash", "-c", here]
            done = subprocess.run(
                arguments, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=110, check=False
            )
            return done.returncode, done.stdout + done.stderr
        if words[:2] == ["harness", "doctor"]:  # several are under way, and each claims its folder
            words.append(f"--reports={self.reports}/doctor-{number}")
        said = self.reports / f"said-{number}.txt"
        process = start(cast("Program", words[0]), words[1:], cwd=ROOT, environment=environment, output=said)
        if SERVER.match(command):
            assert process.pid is not None
            while process.is_alive() and "http://" not in (said.read_text() if said.exists() else ""):
                time.sleep(0.02)
            os.kill(process.pid, signal.SIGINT)
        return ended(process, said, 110), said.read_text()


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    reports = tmp_path_factory.mktemp("reports")
    with (
        EmbeddedPair() as pair,
        EmbeddedPair() as breakable,
        Coturn(tmp_path_factory.mktemp("coturn")) as coturn,
    ):
        place = Place(reports, pair, breakable, coturn)
        place.named_targets.write_text(f'[targets.staging]\nurl = "{pair.offer_url}"\n', encoding="utf-8")
        for earlier in ("latest", "nightly/baseline", "nightly/run"):
            (reports / earlier).parent.mkdir(exist_ok=True)
        # Embedded, as the commands that compare with it are.
        code, output = place.run(0, "pytest scenarios/")
        assert code == 0, output
        for earlier in ("latest", "nightly/baseline", "nightly/run"):
            shutil.copytree(reports / "shown-0", reports / earlier)
        yield place


@pytest.fixture(scope="module")
def outcomes(place: Place) -> dict[str, tuple[int, str]]:
    """Exit code and output of every command, several at once."""
    listed = [each.text for each in shown()]
    with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        done = pool.map(place.run, range(1, len(listed) + 1), listed)
        return dict(zip(listed, done, strict=True))


@pytest.mark.timeout(400)
@pytest.mark.parametrize("command", shown(), ids=str)
def test_a_command_of_the_documentation_works(command: Shown, outcomes: dict[str, tuple[int, str]]) -> None:
    code, output = outcomes[command.text]
    assert code == 0, f"{command}\n{output[-4000:]}"


def test_a_command_that_is_not_run_here_has_its_reason() -> None:
    for where in ELSEWHERE.values():
        assert " " in where or (ROOT / where).exists(), where


def test_every_link_within_the_documentation_leads_somewhere() -> None:
    for page in pages():
        for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_no_command_is_shown_that_a_shell_would_not_read() -> None:
    for each in shown():
        assert shlex.split(each.text)
