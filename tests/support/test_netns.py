from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import netns
from tests.support.netns import Namespace, Namespaces, present, run, sweep
from tests.support.programs import needs_root

ROOT = Path(__file__).parents[2]
SWEPT = "voice-relay-swept"  # by this test alone, and not by those that run beside it
FORSAKEN = f"""
import sys, time
from tests.support.netns import Namespaces
namespaces = Namespaces("{SWEPT}").__enter__()
print(namespaces.add("forsaken").name, flush=True)
time.sleep(60)
"""


@pytest.fixture
def namespaces() -> Iterator[Namespaces]:
    with Namespaces() as made:
        yield made


def test_two_linked_machines_reach_each_other_and_nobody_else(namespaces: Namespaces) -> None:
    first, second = namespaces.add("first"), namespaces.add("second")
    namespaces.link(first, "eth0", second, "eth0")
    first.address("eth0", "192.168.1.1/24")
    second.address("eth0", "192.168.1.2/24")
    links = run([*first.prefix, "ip", "-brief", "link"]).splitlines()
    assert sorted(line.split("@")[0].split()[0] for line in links) == ["eth0", "lo"]
    listen = "import socket as s; l = s.create_server(('192.168.1.2', 7)); print(flush=True); l.accept()"
    connect = "import socket as s; print(s.create_connection(('192.168.1.2', 7), 5).getsockname()[0])"
    command = [*second.prefix, sys.executable, "-c", listen]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as listener:
        assert listener.stdout is not None
        listener.stdout.readline()
        assert run([*first.prefix, sys.executable, "-c", connect]).strip() == "192.168.1.1"


def test_an_error_leaves_no_namespace_and_no_process_behind() -> None:
    started: dict[str, subprocess.Popen[bytes]] = {}

    def fail() -> None:
        with Namespaces() as namespaces:
            machine = namespaces.add("machine")
            wait = "import time; print(flush=True); time.sleep(60)"
            command = [*machine.prefix, sys.executable, "-c", wait]
            process = started[machine.name] = subprocess.Popen(command, stdout=subprocess.PIPE)
            assert process.stdout is not None
            process.stdout.readline()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    ((name, process),) = started.items()
    with process:
        assert process.wait(5) == -signal.SIGTERM
    assert name not in present()


def test_what_a_killed_run_left_is_swept_and_what_a_live_run_has_is_not() -> None:
    with Namespaces(SWEPT) as namespaces:
        ours = namespaces.add("ours")
        killed = killed_run()
        assert killed in present()
        assert killed in sweep(SWEPT)
        assert present() >= {ours.name}
        assert killed not in present()


def killed_run() -> str:
    """What it left: a namespace that was spared while its maker lived."""
    with subprocess.Popen(
        [sys.executable, "-c", FORSAKEN],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        text=True,
    ) as killed:
        assert killed.stdout is not None
        name = killed.stdout.readline().strip()
        assert name in present()
        assert name not in sweep(SWEPT)
        killed.kill()
    return name


def test_two_runs_that_sweep_at_once_do_not_stumble(monkeypatch: pytest.MonkeyPatch) -> None:
    needs_root()
    left, remove = killed_run(), netns.remove

    def as_another_does_it_too(namespace: Namespace) -> None:
        remove(namespace)
        remove(namespace)

    monkeypatch.setattr(netns, "remove", as_another_does_it_too)
    assert sweep(SWEPT) == [left]
    assert left not in present()


def test_a_firewall_that_nft_refuses_is_an_error_with_its_words(namespaces: Namespaces) -> None:
    with pytest.raises(RuntimeError, match="syntax error"):
        namespaces.add("router").firewall("table ip nonsense { chain }")
