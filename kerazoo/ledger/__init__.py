"""The ledger: what the documents claim, the experiments that measure it, and the verdicts that follow.

A verdict is a pure function of a ledger entry (`entries.py`) and the measured rows of the record (`record.py`).
"""
