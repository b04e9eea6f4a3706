"""Desired, plan, apply, once for everything that is written: a pure comparison, and carrying out what it found."""

from sovereignmesh.plan.applied import Applied, check_applicable, told
from sovereignmesh.plan.carry import Outcome, State, Written, carry_out, carry_out_together
from sovereignmesh.plan.diff import bare, compare, diff, merged
from sovereignmesh.plan.items import Action, Change, Difference, Item, Key, Kind, fold
from sovereignmesh.plan.plan import Plan, Unread
from sovereignmesh.plan.shown import looked_for, until_shown
from sovereignmesh.plan.text import outcome_line, plan_lines

__all__ = [
    "Action",
    "Applied",
    "Change",
    "Difference",
    "Item",
    "Key",
    "Kind",
    "Outcome",
    "Plan",
    "State",
    "Unread",
    "Written",
    "bare",
    "carry_out",
    "carry_out_together",
    "check_applicable",
    "compare",
    "diff",
    "fold",
    "looked_for",
    "merged",
    "outcome_line",
    "plan_lines",
    "told",
    "until_shown",
]
