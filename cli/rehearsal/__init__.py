"""Rehearsals: scenarios played on the real server in virtual time, through the same code as in production.

`virtual` keeps the clocks of cases together, `player` plays one scenario, `theatre` is the server for many of them.
Touch this folder when scenarios learn something new; their format is `aftersales/scenario.py`. The tests of the
workflows play here too.
"""

from cli.rehearsal.player import Performance
from cli.rehearsal.theatre import Theatre, policy_for
from cli.rehearsal.virtual import Stuck, VirtualTime

__all__ = ["Performance", "Stuck", "Theatre", "VirtualTime", "policy_for"]
