"""Text from outside, made safe to print: names of files, texts, options, what a model file says of itself."""

import re

CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
"""What moves a terminal's cursor, ends a line, turns the direction of what follows, or has no form in UTF-8."""


def printable(text: object, keep: str = "") -> str:
    r"""Return `text` with its control characters, but for those in `keep`, as escapes: `\x1b`, `\n`, `\u202e`."""
    return CONTROL.sub(lambda found: found[0] if found[0] in keep else _escaped(found[0]), str(text))


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode()
