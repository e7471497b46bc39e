"""The progress bar shows on a terminal and nowhere else."""

import io
import subprocess
import sys
import threading

from suffice.runtime.progress import Progress


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_silent_off_a_terminal(capsys):
    with Progress("reading", 10) as progress:
        progress.update(10)
    assert capsys.readouterr() == ("", "")


def test_quiet_on_a_terminal(monkeypatch):
    monkeypatch.setattr(sys, "stderr", terminal := Terminal())
    with Progress("reading", 10, quiet=True) as progress:
        progress.update(10)
    assert terminal.getvalue() == ""


def test_bar_on_a_terminal(monkeypatch):
    monkeypatch.setattr(sys, "stderr", terminal := Terminal())
    for total in (4_000_000, None):
        with Progress("reading", total) as progress:
            threads = [threading.Thread(target=progress.update, args=(1_000_000,)) for _ in range(4)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        assert "reading" in terminal.getvalue()
        assert "4,000,000 rows" in terminal.getvalue()


def test_each_pass_has_a_bar_of_its_own(monkeypatch):
    """More rows than there are come from reading them again: the bar starts anew and names the pass."""
    monkeypatch.setattr(sys, "stderr", terminal := Terminal())
    with Progress("reading", 100) as progress:
        for _ in range(10):
            progress.update(30 if _ % 3 == 2 else 35)
        (task,) = progress._bar.tasks
        assert (task.description, task.completed, task.total) == ("reading, pass 4", 35, 100)
    assert "reading, pass 4" in terminal.getvalue()


def test_a_label_is_no_markup(monkeypatch):
    monkeypatch.setattr(sys, "stderr", terminal := Terminal())
    with Progress("reading speed [/s]", 10) as progress:
        progress.update(10)
    assert "reading speed [/s]" in terminal.getvalue()


def test_rich_is_not_imported_where_nothing_shows():
    code = (
        "import importlib.util, sys\n"
        "spec = importlib.util.spec_from_file_location('progress', sys.argv[1])\n"
        "module = importlib.util.module_from_spec(spec)\n"
        "spec.loader.exec_module(module)\n"
        "with module.Progress('reading', 1) as progress: progress.update(1)\n"
        "assert 'rich' not in sys.modules\n"
    )
    file = sys.modules[Progress.__module__].__file__
    subprocess.run([sys.executable, "-c", code, str(file)], check=True, stderr=subprocess.PIPE)
