"""The desktop window: its own tests under both bindings of Qt, offscreen, and the rule that nothing else imports Qt."""

import ast
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "hyperpilot"
QT = {"qtpy", "PyQt5", "PyQt6", "PySide2", "PySide6", "pyqtgraph"}
BINDINGS = {"pyside6": "PySide6", "pyqt5": "PyQt5"}


@pytest.mark.parametrize("binding", BINDINGS)
def test_the_window_under_a_binding(binding, tmp_path):
    if find_spec(BINDINGS[binding]) is None:
        pytest.skip(f"{BINDINGS[binding]} is not installed")
    env = {**os.environ, "QT_API": binding, "PYTEST_QT_API": binding, "QT_QPA_PLATFORM": "offscreen"}
    env |= {"HYPERPILOT_WINDOW_TESTS": "1", "XDG_RUNTIME_DIR": str(tmp_path), "OMP_NUM_THREADS": "1"}
    loads = [sys.executable, "-c", "from qtpy import QtWidgets; QtWidgets.QApplication([])"]
    tried = subprocess.run(loads, env=env, capture_output=True, text=True)
    if tried.returncode and "cannot open shared object" in tried.stderr:
        pytest.skip(f"Qt's libraries are missing: {tried.stderr.strip().splitlines()[-1]}")
    words = [sys.executable, "-m", "pytest", "-o", "addopts=-q", "-p", "no:cacheprovider"]
    done = subprocess.run(
        [*words, "--durations=12", str(ROOT / "tests" / "window")],
        env=env,
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=600,
    )
    print(done.stdout[-3000:])
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-4000:]


def imported(path):
    """The packages that a file imports, at its top or anywhere in it."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.partition(".")[0]


def test_nothing_outside_the_window_imports_qt():
    files = [path for path in SOURCE.rglob("*.py") if path.relative_to(SOURCE).parts[0] != "gui"]
    assert len(files) > 200
    assert {str(path) for path in files if QT & set(imported(path))} == set()


def test_what_the_pages_show_and_what_runs_beside_them_needs_no_qt():
    files = [*(SOURCE / "gui" / "models").glob("*.py"), *(SOURCE / "gui" / "children").glob("*.py")]
    files.append(SOURCE / "gui" / "processes.py")
    assert len(files) > 12
    assert {path.name for path in files if QT & set(imported(path))} == set()


def test_importing_the_rest_loads_no_qt():
    code = "import sys, hyperpilot.cli.gui, hyperpilot.gui.models.study, hyperpilot.gui.processes; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert "hyperpilot.gui.models.study" in loaded
    assert QT & {name.partition(".")[0] for name in loaded} == set()
