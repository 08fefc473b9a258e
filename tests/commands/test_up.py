"""`sertilink up` for real: four processes, three samples, a sign-in, a demo beside it, and nothing left afterwards."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.request import urlopen

import pytest

from notifier.proof.ports import free_port
from tests.commands.conftest import Run
from tests.polling import eventually

SERTILINK = str(Path(sys.executable).with_name("sertilink"))


def _environ() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("SERTILINK_")}


def _running_in(folder: Path) -> list[int]:
    """The processes whose current folder is `folder`."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and (entry / "cwd").readlink() == folder:
                found.append(int(entry.name))
        except OSError:
            continue
    return found


def _states(folder: Path) -> dict[str, int]:
    status = subprocess.run([SERTILINK, "status", "--json"], cwd=folder, env=_environ(), capture_output=True)
    states: dict[str, int] = json.loads(status.stdout)["states"]
    return states


@contextmanager
def _up(folder: Path, port: int) -> Iterator[Path]:
    """Runs it in `folder` until it is ready; its output's file. Stops it as a terminal would."""
    log = folder / "up.log"
    with log.open("w") as stream:
        process = subprocess.Popen(
            [SERTILINK, "up", "--port", str(port)], cwd=folder, env=_environ(), stdout=stream, stderr=stream
        )
        try:
            eventually(
                lambda: "sertilink is ready" in log.read_text() or process.poll() is not None,
                seconds=90,
                message="up was not ready",
            )
            assert process.poll() is None, log.read_text()[-4000:]
            yield log
        finally:
            process.send_signal(signal.SIGINT)
            code = process.wait(timeout=120)
    assert code == 0, log.read_text()[-4000:]


def test_up_starts_everything_and_stops_everything(tmp_path: Path) -> None:
    port = free_port(in_a_row=2)
    with _up(tmp_path, port) as log:
        text = log.read_text()
        assert f"http://127.0.0.1:{port}" in text
        assert "3 sample doses were fed" in text
        assert re.search(r"birth dates  S\. \d{4}-\d\d-\d\d, I\. \d{4}-\d\d-\d\d, N\. \d{4}", text)
        sign_in = re.search(r"sign-in +(admin / \S+)", text)
        assert sign_in is not None
        for face in (port, port + 1):
            with urlopen(f"http://127.0.0.1:{face}/healthz", timeout=60) as answer:
                assert answer.status == 200
        arguments = [SERTILINK, "demo", "--people", "2", "--json"]
        demo = subprocess.run(arguments, cwd=tmp_path, env=_environ(), capture_output=True, text=True, timeout=300)
        assert demo.returncode == 0, demo.stderr
        messages = json.loads(demo.stdout)["messages"]
        assert [message["link"].startswith(f"http://127.0.0.1:{port}/c/") for message in messages] == [True, True]
        eventually(lambda: _states(tmp_path) == {"delivered": 5}, 20, "not all are delivered")
        tokens = [message["link"].rpartition("/")[2] for message in messages]
        with urlopen(messages[0]["link"], timeout=60) as answer:
            assert answer.status == 200
    assert _running_in(tmp_path) == []
    text = log.read_text()
    assert not any(token in text for token in tokens)
    for name in ("sign-in.txt", "sertilink.db", "broker.db", "secrets/link_keys"):
        assert (tmp_path / "var" / name).stat().st_mode & 0o077 == 0
    with _up(tmp_path, port) as log:
        text = log.read_text()
        assert sign_in.group(1) in text
        assert "sample doses" not in text


def test_a_taken_port_is_told_before_anything_is_made(run: Run, tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        result = run("up", "--port", str(port), environ={"SERTILINK_DATA_FOLDER": str(tmp_path / "var")})
    assert result.exit_code == 1
    assert f"127.0.0.1:{port} cannot be had" in result.stderr
    assert "sertilink up --port" in result.stderr


def test_up_refuses_unsafe_settings_in_production(run: Run) -> None:
    result = run("up", environ={"SERTILINK_ENVIRONMENT": "production"})
    assert result.exit_code == 1
    assert "SERTILINK_PUBLIC_URL: links need https" in result.stderr


@pytest.mark.parametrize("port", ["0", "65535", "none"])
def test_a_port_that_cannot_be_is_wrong_usage(run: Run, port: str) -> None:
    assert run("up", "--port", port).exit_code == 2
