"""What a row was measured by: the commit of the code, and how busy the machine was."""

from __future__ import annotations

import functools
import os
import subprocess
from pathlib import Path
from typing import Any

_ROOT = Path(__file__).parents[2]


@functools.cache
def commit() -> dict[str, Any]:
    """Return the commit of the checkout that kerazoo is imported from, and whether a file of the package differs.

    Empty for an installed package, whose version says all, and where there is no git.
    """
    if not (_ROOT / ".git").exists():
        return {}
    try:
        head = _git("rev-parse", "HEAD")
        return {"commit": head, "dirty": bool(_git("status", "--porcelain", "--", "kerazoo", "setup.cfg"))}
    except (OSError, subprocess.SubprocessError):
        return {}


def _git(*arguments: str) -> str:
    call = ["git", "-C", str(_ROOT), *arguments]
    return subprocess.run(call, capture_output=True, text=True, check=True, timeout=30).stdout.strip()


def load() -> float | None:
    """Return how many processes wanted to run on average in the last minute; None where the system does not tell."""
    try:
        return round(os.getloadavg()[0], 2)
    except (AttributeError, OSError):
        return None
