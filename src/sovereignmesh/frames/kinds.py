"""What a column holds, in the logical types of the Open Data Contract Standard, and what is nested in it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sovereignmesh.frames.data import Column

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import narwhals as nw

__all__ = ["columns_of"]


def columns_of(schema: Mapping[str, nw.dtypes.DType], objects: Mapping[str, str]) -> dict[str, Column]:
    """The columns of a schema by name, in its order; `objects` as `read_pandas` gives them."""
    return {
        name: Column(
            name,
            str(dtype),
            None if name in objects else _kind(dtype),
            floating=dtype.is_float(),
            mixed=name in objects,
            opaque=objects.get(name, ""),
            paths=tuple(_nested(name, dtype)),
        )
        for name, dtype in schema.items()
    }


def _kind(dtype: Any) -> str | None:
    import narwhals as nw  # noqa: PLC0415 - an extra

    if dtype.is_integer():
        return "integer"
    if dtype.is_numeric():
        return "number"
    kinds = {
        nw.String: "string", nw.Categorical: "string", nw.Enum: "string", nw.Boolean: "boolean", nw.Date: "date",
        nw.Datetime: "timestamp", nw.Time: "time", nw.Struct: "object", nw.List: "array", nw.Array: "array",
    }  # fmt: skip
    return next((kind for known, kind in kinds.items() if dtype == known), None)


def _nested(path: str, dtype: Any) -> Iterator[str]:
    """The fields inside of structs, also those in lists."""
    for field in getattr(dtype, "fields", ()):
        yield f"{path}.{field.name}"
        yield from _nested(f"{path}.{field.name}", field.dtype)
    if (inner := getattr(dtype, "inner", None)) is not None:
        yield from _nested(path, inner)
