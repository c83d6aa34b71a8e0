"""What reports say in English or in Chinese, by the table of `chinese.py`."""

from __future__ import annotations

import re
from typing import Literal, get_args

from kerazoo.report.chinese import TEXTS

Language = Literal["en", "zh"]
LANGUAGES: tuple[Language, ...] = get_args(Language)
NAMES: dict[Language, str] = {"en": "English", "zh": "中文"}
TAGS: dict[Language, str] = {"en": "en", "zh": "zh-CN"}
"""As HTML and the names of files have them."""

_CHARACTER = re.compile(r"[\u3400-\u9fff]")


UNITS = {
    "accuracy": "{}",
    "accuracy an epoch": "每轮{}",
    "characters": "{}个字符",
    "class": "第{}类",
    "decades": "{}个数量级",
    "epochs": "{}轮",
    "examples": "{}个样本",
    "images": "{}张图片",
    "inputs": "{}个输入",
    "layers": "{}层",
    "lines": "{}行",
    "microseconds": "{}微秒",
    "nats": "{}奈特",
    "nats a character": "每字符{}奈特",
    "neurons": "{}个神经元",
    "parameters": "{}个参数",
    "seconds": "{}秒",
    "share": "{}",
    "units": "{}个单元",
    "updates": "{}次更新",
    "weight": "{}",
}
"""The units of the packaged study in Chinese; "{}" stands for the number."""


def say(text: str, language: Language, **values: object) -> str:
    """Return a text of the table in a language, its placeholders filled.

    Raises:
        KeyError: the table does not have it.
    """
    template = text if language == "en" else TEXTS[text]
    return template.format(**values) if values else template


def known(text: str, language: Language) -> str:
    """Return a text in a language where the table has it, and as it is elsewhere: a name, a study's own word."""
    return text if language == "en" else TEXTS.get(text, text)


def quantity(number: str, unit: str, language: Language) -> str:
    """Return a number with its unit; a unit that the table does not have stays."""
    if language == "en":
        return f"{unit} {number}" if unit == "class" else f"{number} {unit}"
    number = number.strip("[]").replace(", ", "、")  # a list: 2、10、2个神经元
    return UNITS.get(unit, f"{{}} {unit}").format(number)


def is_chinese(text: str) -> bool:
    """Tell whether a text has Chinese characters."""
    return bool(_CHARACTER.search(text))


def file_name(stem: str, suffix: str, language: Language) -> str:
    """Return the name of a page: "001.md", and "001.zh-CN.md"."""
    return f"{stem}{suffix}" if language == "en" else f"{stem}.{TAGS[language]}{suffix}"
