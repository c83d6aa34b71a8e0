"""Whether an experiment can be carried out here: real data, a backend, and modules that kerazoo does not install."""

from __future__ import annotations

import os

from kerazoo.data import real_data
from kerazoo.data.prepared import check_source, data_root
from kerazoo.errors import UnavailableError
from kerazoo.lazy import installed, keras
from kerazoo.ledger.catalog import Experiment, Unmeasurable


class Needs:
    """Looks for what experiments need, for each thing once.

    Args:
        source: "auto" takes missing data for a reason not to measure, "tfds" for an error; with "sample" nothing that
            needs data is measured, since results on sample data are never recorded.
        data_dir: a directory in TFDS layout, or None for the default.

    Raises:
        InputError: `source` is unknown, or `data_dir` is not a directory.
    """

    def __init__(self, source: str = "auto", data_dir: str | os.PathLike[str] | None = None) -> None:
        check_source(source)
        if source != "sample":
            data_root(data_dir)
        self.source, self.data_dir = source, None if data_dir is None else os.fspath(data_dir)
        self._found: dict[str, str | UnavailableError] = {}

    def check(self, experiment: Experiment) -> dict[str, str]:
        """Return the real data sets that `experiment` needs with their versions.

        Raises:
            Unmeasurable: something is missing; the message says what.
            UnavailableError: real data is missing and `source` is "tfds".
        """
        for module in experiment.modules:
            if not installed(module):
                raise Unmeasurable(f"The module '{module}' is not installed.")
        for backend in experiment.backends:
            if keras.backend.backend() != backend:
                computed = f"It is computed with {backend}, and Keras computes with {keras.backend.backend()}"
                raise Unmeasurable(f"{computed}: set KERAS_BACKEND={backend}.")
        if experiment.data and self.source == "sample":
            raise Unmeasurable("It needs the real data; results on sample data are never recorded.")
        return {name: self._version(name) for name in experiment.data}

    def _version(self, name: str) -> str:
        if name not in self._found:
            try:
                self._found[name] = real_data(name, self.data_dir).version
            except UnavailableError as error:
                if self.source == "tfds":
                    raise
                self._found[name] = error
        found = self._found[name]
        if isinstance(found, UnavailableError):
            raise Unmeasurable(f"No real data: {found}.")
        return found
