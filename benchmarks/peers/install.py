"""Makes one virtual environment a peer: `python install.py optuna_peer smac_peer`, or `all`.

The pins of a peer are in `requirements/<peer>.txt`, since several peers' pins collide; its environment is `.venvs/<peer>`.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
PYTHON = "python3.11"


def install(peer: str) -> None:
    """Makes or updates the environment of one peer, byte-compiled, since a start is part of every run."""
    home = HERE / ".venvs" / peer
    python = str(home / "bin" / "python")
    subprocess.run([PYTHON, "-m", "venv", str(home)], check=True)
    pins = str(HERE / "requirements" / f"{peer}.txt")
    subprocess.run([python, "-m", "pip", "install", "--quiet", "--no-cache-dir", "-r", pins], check=True)
    # Unchecked: packages ship files, for other Python versions, that do not compile.
    subprocess.run([python, "-m", "compileall", "-q", str(home / "lib")], check=False)


def main(names: list[str]) -> None:
    """Installs the peers named; raises KeyError for a name without a requirements file."""
    known = sorted(path.stem for path in (HERE / "requirements").glob("*.txt"))
    for peer in known if names == ["all"] else names:
        if peer not in known:
            raise KeyError(f"no peer {peer!r}; there are {known}")
        install(peer)


if __name__ == "__main__":
    main(sys.argv[1:])
