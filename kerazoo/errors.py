"""The errors that kerazoo raises.

KerazooError
├── InputError (ValueError)          what the caller gave cannot be used; the command line exits with 2
│   ├── UnknownModelError            no model has that name
│   ├── OverrideError (TypeError)    a model, recipe or data option is unknown or of the wrong type
│   ├── DataError                    arrays, text or labels that the model cannot take
│   ├── ModelFileError               a file that is not the model that was asked for
│   ├── RunDirectoryError            a run directory that cannot be used as asked
│   └── LedgerError                  an entry of the ledger, or a row of the record, that cannot be used
├── NotFiniteError (ArithmeticError)  training diverged, or a model answers with NaN or infinity; exits with 1
└── UnavailableError (RuntimeError)  something outside failed: no network, no package; exits with 1
"""

from collections.abc import Iterable


class KerazooError(Exception):
    """Base of every error that kerazoo raises on purpose."""


class InputError(KerazooError, ValueError):
    """A value from the caller cannot be used; the message says what was given and what is wanted."""


class UnknownModelError(InputError):
    """No registered model has the name that was asked for."""


class OverrideError(InputError, TypeError):
    """An override is unknown, or its value is of the wrong type."""


class DataError(InputError):
    """Data that the model cannot take: shape, dtype, range, length or encoding."""


class ModelFileError(InputError):
    """A file that is missing, damaged, or not a Keras model that fits."""


class RunDirectoryError(InputError):
    """A run directory that is not usable as asked."""


class LedgerError(InputError):
    """An entry of the ledger of claims or a row of the record of measurements that is not as it must be."""


class UnavailableError(KerazooError, RuntimeError):
    """Something outside the package failed: a download, an optional package, a disk."""


class NotFiniteError(KerazooError, ArithmeticError):
    """A model whose answers or measurements are NaN or infinite, which no answer can be made of."""


def first_line(error: BaseException) -> str:
    """Return the first line of an error's message, or the name of its class where it has none."""
    return str(error).strip().split("\n")[0] or type(error).__name__


def did_you_mean(given: str, accepted: Iterable[str]) -> str:
    """Return " Did you mean 'x'?" for the accepted name nearest to `given` and not the same, or an empty string."""
    import difflib

    names = [name for name in accepted if name != given]
    near = difflib.get_close_matches(given.lower(), names, n=1, cutoff=0.5)
    near = near or [name for name in names if given and given.lower() in name][:1]
    return f" Did you mean '{near[0]}'?" if near else ""
