"""The tasks by name: the zoo's own, and those that a user's file or package registers."""

from __future__ import annotations

from kerazoo.errors import InputError, did_you_mean
from kerazoo.options import required_of
from kerazoo.registry import discover
from kerazoo.schema import ModelSpec
from kerazoo.tasks.task import Task

_tasks: dict[str, Task] = {}


def register_task(task: Task) -> Task:
    """Register `task` under its name, for `register(..., task="name")` and `kerazoo show`; return it.

    Raises:
        InputError: it is not a `Task`, has no name, or another task has that name.
    """
    if not isinstance(task, Task):
        raise InputError(f"register_task takes a kerazoo.Task, not {task!r}")
    if not task.name or not isinstance(task.name, str):
        raise InputError(f"a task wants a name, not {task.name!r}")
    if task.load and (required := required_of(task.load)):
        raise InputError(f"task '{task.name}': load's parameter '{required}' has no default; give it one")
    if task.name in _tasks and _tasks[task.name] is not task:
        raise InputError(f"a task named '{task.name}' is already registered; choose another name")
    _tasks[task.name] = task
    return task


def list_tasks() -> list[str]:
    """Return the sorted names of all tasks."""
    discover()
    return sorted(_tasks)


def find(name: str) -> Task:
    """Return the task `name`.

    Raises:
        InputError: there is none; the message names the nearest one and all that exist.
    """
    if name not in _tasks:
        discover()  # it may be a user's
    if name not in _tasks:
        known = ", ".join(sorted(_tasks))
        raise InputError(f"no task is named {name!r}.{did_you_mean(str(name), _tasks)} Tasks: {known}")
    return _tasks[name]


def resolve(task: str | Task) -> Task:
    """Return the task of that name, or `task` itself, registered where it was not yet.

    Raises:
        InputError: there is none of that name, or another has the name of `task`.
    """
    if isinstance(task, str):
        return find(task)
    return register_task(task)


def task_of(spec: ModelSpec | None) -> Task:
    """Return the task of a model; rows of numbers that the caller brings, for one that has none."""
    return Task("") if spec is None or spec.task is None else find(spec.task)
