"""One page that needs nothing else; it takes a browser to run it, so it is not compared here."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kerazoo.exporting.formats import Format
from kerazoo.lazy import keras


class Html(Format):
    """A page with the weights inside."""

    name = "html"
    suffix = ".html"
    runs = False

    def write(self, model: keras.Model, path: Path, facts: Mapping[str, Any]) -> None:
        """Write the page."""
        from kerazoo.exporting.html import write_html

        write_html(model, path, name=facts["model"] or model.name)
