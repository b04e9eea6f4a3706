"""Facets: how often each value of a column comes in an answer."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sovereignmesh.sandbox.engine import Answer

__all__ = ["facet"]

_TOP: Final = 10


def facet(asked: Any, answer: Answer, *, as_table: bool) -> dict[str, Any]:
    """One facet's result in the format of the answer, or the error that stands in its place."""
    expression = str(asked.get("expression", "")) if isinstance(asked, dict) else ""
    names = [column.name for column in answer.columns]
    if expression not in names:
        return _failed(
            expression,
            {"code": "NoValidColumns", "message": "No valid columns in facet expression."},
            {"code": "InvalidColumnNames", "message": f"Invalid column names: [{expression}]."},
        )
    options = asked.get("options") or {}
    if set(options) - {"sortOrder", "$top"}:
        wrong = ", ".join(sorted(set(options) - {"sortOrder", "$top"}))
        return _failed(expression, {"code": "SandboxUnsupported", "message": f"the sandbox (not Azure) has no {wrong}"})
    at = names.index(expression)
    counted = Counter(row[at] if isinstance(row[at], str | int | float) else str(row[at]) for row in answer.rows)
    descending = options.get("sortOrder", "desc") == "desc"
    rows = sorted(counted.items(), key=lambda item: item[1], reverse=descending)
    shown = [list(item) for item in rows[: options.get("$top", _TOP)]]
    columns = [{"name": expression, "type": answer.columns[at].type}, {"name": "count", "type": "integer"}]
    table = {"columns": columns, "rows": shown}
    return {
        "expression": expression,
        "totalRecords": len(counted),
        "count": len(shown),
        "data": table if as_table else [{expression: value, "count": count} for value, count in shown],
        "resultType": "FacetResult",
    }


def _failed(expression: str, *errors: Mapping[str, Any]) -> dict[str, Any]:
    return {"expression": expression, "errors": list(errors), "resultType": "FacetError"}
