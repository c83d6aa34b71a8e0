"""Rows of numbers: the four samples of document 000, and a made-up task for attention."""

from __future__ import annotations

from kerazoo.data.small import load_recall, load_toy
from kerazoo.tasks.known import register_task
from kerazoo.tasks.task import Task

register_task(Task("toy", load_toy, summary="four samples of two numbers, in two classes"))
register_task(Task("recall", load_recall, summary="sequences, and what an attention with hidden weights makes of them"))
