"""Which batches each epoch reads: a whole pass over the data, or `steps_per_epoch` of them at a time."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Part:
    """Steps [first, last) of pass number `number` over the data; `short` where the data ended before the epoch did."""

    number: int
    first: int
    last: int
    short: bool = False


def part_of(epoch: int, steps: int, steps_per_epoch: int | None = None, start: int = 0) -> Part:
    """The part of the data that `epoch` reads: a pure function of the arguments, so that a resumed run continues there.

    Args:
        epoch: its number.
        steps: of one pass over the data.
        steps_per_epoch: None for one pass each epoch. Else an epoch goes on where the one before it stopped, and ends
            early where the pass does, as in Keras.
        start: the first epoch of the run.
    """
    if steps_per_epoch is None:
        return Part(epoch, 0, steps)
    epochs_a_pass = -(-steps // steps_per_epoch)
    passes, place = divmod(epoch - start, epochs_a_pass)
    first = place * steps_per_epoch
    last = min(first + steps_per_epoch, steps)
    return Part(start + passes, first, last, short=last - first < steps_per_epoch)
