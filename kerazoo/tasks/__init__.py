"""Tasks: where data comes from, and what the inputs and the answers of models are. One file a modality."""

from kerazoo.tasks import vectors as _vectors  # noqa: F401 (it registers its tasks)
from kerazoo.tasks.known import find, list_tasks, register_task, resolve, task_of
from kerazoo.tasks.pictures import Digits, Pictures
from kerazoo.tasks.reviews import Reviews
from kerazoo.tasks.task import Task
from kerazoo.tasks.writing import Writing

__all__ = [
    "Digits",
    "Pictures",
    "Reviews",
    "Task",
    "Writing",
    "find",
    "list_tasks",
    "register_task",
    "resolve",
    "task_of",
]
