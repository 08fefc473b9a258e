"""The supervisor with real processes: output, restarts, and nothing left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from notifier.supervisor import RESTARTS, Program, Supervisor, read_procfile
from tests.polling import eventually

Said = list[tuple[str, str]]


def _alive(pid: int) -> bool:
    """Whether a process runs; one that only waits to be reaped does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def _supervisor(said: Said, **scripts: str) -> Supervisor:
    programs = [Program(name, (sys.executable, "-u", "-c", textwrap.dedent(text))) for name, text in scripts.items()]
    return Supervisor(programs, {"PATH": os.environ["PATH"]}, lambda name, line: said.append((name, line)))


def _pump_until(supervisor: Supervisor, said: Said, line: str) -> None:
    def heard() -> bool:
        assert supervisor.pump(0.1) is None
        return any(line in text for _, text in said)

    eventually(heard, message=f"nobody said {line!r}")


def test_a_procfile_is_read_with_its_variables() -> None:
    text = "# doors\nweb: serve --bind 127.0.0.1:$PORT 'app:make()'\n\nworker: sertilink worker\n"
    assert read_procfile(text, {"PORT": "8000"}) == [
        Program("web", ("serve", "--bind", "127.0.0.1:8000", "app:make()")),
        Program("worker", ("sertilink", "worker")),
    ]


@pytest.mark.parametrize("line", ["web serve", "web: serve $MISSING", "web: 'serve", "two words: serve"])
def test_a_procfile_line_that_cannot_be_read_is_named(line: str) -> None:
    with pytest.raises(ValueError, match="Procfile line 2"):
        read_procfile(f"ok: serve\n{line}\n", {})


def test_our_own_procfile_names_the_four_processes() -> None:
    text = (Path(__file__).parents[2] / "Procfile").read_text()
    programs = read_procfile(text, {"PORT": "8000", "STAFF_PORT": "8001"})
    assert [program.name for program in programs] == ["web", "staff", "worker", "stream"]


def test_output_comes_line_by_line_with_its_name() -> None:
    said: Said = []
    supervisor = _supervisor(
        said,
        one="import time; print('hel', end='', flush=True); print('lo'); time.sleep(60)",
        two="import sys, time; print('é\\nerr', file=sys.stderr); time.sleep(60)",
    )
    supervisor.start()
    try:
        _pump_until(supervisor, said, "err")
        _pump_until(supervisor, said, "hello")
    finally:
        supervisor.stop()
    assert ("one", "hello") in said
    assert ("two", "é") in said


def test_a_process_that_dies_is_started_again(tmp_path: Path) -> None:
    said: Said = []
    mark = tmp_path / "mark"
    script = f"""
        import pathlib, sys, time
        mark = pathlib.Path({str(mark)!r})
        if not mark.exists():
            mark.touch()
            sys.exit(7)
        print("second life")
        time.sleep(60)
    """
    supervisor = _supervisor(said, fragile=script)
    supervisor.start()
    try:
        _pump_until(supervisor, said, "second life")
    finally:
        supervisor.stop()
    assert ("fragile", "ended with 7; starting again in 1 s") in said


def test_a_process_that_dies_too_often_is_named() -> None:
    said: Said = []
    supervisor = _supervisor(said, broken="raise SystemExit(3)")
    supervisor.start()
    try:
        assert eventually(lambda: supervisor.pump(0.5), seconds=20) == "broken"
    finally:
        supervisor.stop()
    assert sum("starting again" in line for _, line in said) == RESTARTS


def test_a_program_that_is_not_there_stops_the_others() -> None:
    said: Said = []
    programs = [Program("good", (sys.executable, "-c", "import time; time.sleep(60)")), Program("bad", ("/no/such",))]
    supervisor = Supervisor(programs, {}, lambda name, line: said.append((name, line)))
    with pytest.raises(OSError, match="/no/such"):
        supervisor.start()
    assert supervisor.pump(0.1) is None


def test_stop_leaves_no_grandchild() -> None:
    said: Said = []
    script = """
        import subprocess, sys, time
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
        print("grandchild", child.pid)
        time.sleep(60)
    """
    supervisor = _supervisor(said, parent=script)
    supervisor.start()
    _pump_until(supervisor, said, "grandchild")
    pid = int(next(line for _, line in said if "grandchild" in line).split()[1])
    assert _alive(pid)
    supervisor.stop()
    eventually(lambda: not _alive(pid), message="the grandchild lives")


@pytest.mark.skipif(sys.platform != "linux", reason="the parent-death signal is Linux'")
def test_a_supervisor_that_is_killed_takes_its_children_along(tmp_path: Path) -> None:
    script = f"""
        import os, sys
        from notifier.supervisor import Program, Supervisor
        child = "import os, time; print(os.getpid(), flush=True); time.sleep(60)"
        supervisor = Supervisor([Program("child", ({sys.executable!r}, "-c", child))], os.environ,
                                lambda name, line: print(line, flush=True))
        supervisor.start()
        supervisor.pump(60)
    """
    command = [sys.executable, "-u", "-c", textwrap.dedent(script)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=tmp_path)
    assert process.stdout is not None
    with process.stdout as output:
        pid = int(output.readline())
        assert _alive(pid)
        process.send_signal(signal.SIGKILL)
        process.wait()
    eventually(lambda: not _alive(pid), message="the child outlived its supervisor")
