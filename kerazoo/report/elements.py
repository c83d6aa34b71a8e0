"""HTML elements whose texts and attributes are escaped."""

from __future__ import annotations

import html
from collections.abc import Iterable
from typing import Any

_EMPTY = {"col", "img", "input", "link", "meta"}


class Markup(str):
    """HTML that is ready to stand in a page."""


def element(name: str, /, *children: Any, **attributes: Any) -> Markup:
    """Return an element of HTML.

    Args:
        name: of the element.
        children: texts, which are escaped, `Markup`, which is not, lists of both, and None, which is left out.
        attributes: `class_` stands for class and `data_label` for data-label; True is an attribute without a value,
            None and False are left out.
    """
    written = "".join(_attribute(key, value) for key, value in attributes.items())
    if name in _EMPTY:
        return Markup(f"<{name}{written}>")
    return Markup(f"<{name}{written}>{joined(children)}</{name}>")


def joined(children: Iterable[Any]) -> Markup:
    """Return children one after the other, as `element` takes them."""
    return Markup("".join(map(_child, children)))


def _child(child: Any) -> str:
    if child is None:
        return ""
    if isinstance(child, Markup):
        return child
    if isinstance(child, (list, tuple)):
        return joined(child)
    return html.escape(str(child), quote=False)


def _attribute(key: str, value: Any) -> str:
    key = key.rstrip("_").replace("_", "-")
    if value is None or value is False:
        return ""
    return f" {key}" if value is True else f' {key}="{html.escape(str(value))}"'


def prose(text: str) -> Markup:
    """Return a text whose parts between backquotes are code."""
    parts = text.split("`")
    if len(parts) % 2 == 0:  # a backquote without its partner
        return joined([text])
    return joined(element("code", part) if place % 2 else part for place, part in enumerate(parts))
