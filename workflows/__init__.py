"""The rules: one workflow a process, one file each, in the words of `spec/processes.md`.

Touch this folder when a rule changes; `case.py` is the toolkit that all of them speak. A change here must pass the
replay tests, because cases of the old code are running.
"""

from workflows.return_escalation import ReturnEscalation
from workflows.return_parcel import ReturnParcel

ALL = (ReturnEscalation, ReturnParcel)
"""Every process that a worker runs."""
