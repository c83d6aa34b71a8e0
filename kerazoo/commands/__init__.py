"""The commands of `kerazoo`, a group a file: arguments, one call, its result printed."""
