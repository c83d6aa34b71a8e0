"""The five printed programs run: as printed and with repairs, in short; and corrected, to their end."""

from __future__ import annotations

from typing import Any

from kerazoo import Setting, experiment
from kerazoo.studies.articles.experiments.keras_2 import interpreter
from kerazoo.studies.articles.experiments.repairing import corrected, tried
from kerazoo.studies.articles.experiments.repairs import DIGITS, DIGITS_WITH_DROPOUT, PERCEPTRON, REVIEWS, WRITER


@experiment("program_000", needs=("module:torch",), quick=True, minutes=0.2, revision=2)
def program_000(setting: Setting) -> dict[str, Any]:
    """Run document 000's program (section 5.2), which trains for 1000 epochs on four samples."""
    return tried(PERCEPTRON, setting)


@experiment("program_001", needs=("imdb_reviews", "backend:tensorflow"), quick=True, minutes=1, revision=2)
def program_001(setting: Setting) -> dict[str, Any]:
    """Run document 001's program (section 5.2) on the first reviews."""
    return tried(REVIEWS, setting)


@experiment("program_002", needs=("tiny_shakespeare", "backend:tensorflow"), quick=True, minutes=1, revision=2)
def program_002(setting: Setting) -> dict[str, Any]:
    """Run document 002's program (section 5.2); it names no text."""
    return tried(WRITER, setting)


@experiment("program_003", needs=("mnist", "backend:tensorflow"), quick=True, minutes=0.5, revision=2)
def program_003(setting: Setting) -> dict[str, Any]:
    """Run document 003's program (section 4, its five blocks as one)."""
    return tried(DIGITS, setting)


@experiment("program_004", needs=("mnist", "backend:tensorflow"), quick=True, minutes=0.5, revision=2)
def program_004(setting: Setting) -> dict[str, Any]:
    """Run document 004's program (section 5.2)."""
    return tried(DIGITS_WITH_DROPOUT, setting)


@experiment(
    "programs_keras_2",
    needs=("mnist", "imdb_reviews", "tiny_shakespeare", "backend:tensorflow"),
    quick=True,
    minutes=2,
)
def programs_keras_2(setting: Setting) -> dict[str, Any]:
    """Run the programs for Keras as the four above do, with Keras 2, which TensorFlow had up to 2.15."""
    python, versions = interpreter()
    where = ", ".join(f"{name} {version}" for name, version in versions.items())
    found: dict[str, Any] = {}
    for program in (REVIEWS, WRITER, DIGITS, DIGITS_WITH_DROPOUT):
        setting.say(f"program {program.name}")
        then = tried(program, setting, python)
        evidence = {"versions": versions, "repairs": then["repairs"], "warnings": then["warnings"]}
        found[program.name] = {"runs": then["runs"], "evidence": evidence, "note": f"{where}: {then['note']}"}
    return found


@experiment("corrected_000", needs=("module:torch",), seeds=5, quick=True, minutes=0.1)
def corrected_000(setting: Setting) -> dict[str, Any]:
    """Run the corrected program of document 000 to its end."""
    return corrected(PERCEPTRON, setting)


@experiment("corrected_001", needs=("imdb_reviews", "backend:tensorflow"), seeds=3, minutes=15, revision=2)
def corrected_001(setting: Setting) -> dict[str, Any]:
    """Run the corrected program of document 001 to its end: 15 epochs on all reviews, by Keras's own fit."""
    return corrected(REVIEWS, setting)


@experiment("corrected_002", needs=("tiny_shakespeare", "backend:tensorflow"), seeds=3, minutes=8)
def corrected_002(setting: Setting) -> dict[str, Any]:
    """Run the corrected program of document 002 to its end."""
    return corrected(WRITER, setting)


@experiment("corrected_003", needs=("mnist", "backend:tensorflow"), seeds=5, minutes=1)
def corrected_003(setting: Setting) -> dict[str, Any]:
    """Run the corrected program of document 003 to its end, by Keras's own fit."""
    return corrected(DIGITS, setting)


@experiment("corrected_004", needs=("mnist", "backend:tensorflow"), seeds=5, minutes=3)
def corrected_004(setting: Setting) -> dict[str, Any]:
    """Run the program of document 004 to its end; it is correct as printed."""
    return corrected(DIGITS_WITH_DROPOUT, setting)
