"""The desktop window: reads the same logs and folds as the terminal, and starts the same commands.

`models` holds what the pages show, as plain Python without Qt; `widgets` and `pages` draw it; `children` are small programs that
run whatever could hang or fail, each in a process of its own. Nothing outside this package imports Qt.
"""

from __future__ import annotations

import os
from importlib.util import find_spec

# QtPy would take PyQt5 first; where both are installed, the binding of the extra is meant. QT_API decides otherwise.
if "QT_API" not in os.environ and find_spec("PySide6") is not None:
    os.environ["QT_API"] = "pyside6"
