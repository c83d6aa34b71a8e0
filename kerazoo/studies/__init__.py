"""Studies that come with kerazoo, each a directory as anyone can write one: documents as TOML, experiments, a record.

Their experiments use what every user can: the public names of kerazoo, its `engine`, `layers` and `lazy`.
"""
