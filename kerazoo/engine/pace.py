"""How many steps one compiled call runs."""

SECONDS_PER_CALL = 0.3


class Pace:
    """The steps of a compiled call: enough to make the host's work negligible, few enough for Ctrl-C to be heard."""

    def __init__(self, fixed: int | None) -> None:
        self.fixed, self.steps, self.compiled = fixed, fixed or 1, False

    def took(self, steps: int, seconds: float) -> None:
        """Note that `steps` steps took `seconds`."""
        if not self.fixed and self.compiled and steps == self.steps:
            self.steps = max(1, min(8 * self.steps, int(SECONDS_PER_CALL * steps / seconds)))
        self.compiled = True  # the first call's time is mostly compilation
