"""What a column holds, in the logical types of the Open Data Contract Standard, and what is nested in it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from sovereignmesh.frames.data import Column

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import narwhals as nw

__all__ = ["columns_of"]


# What engines call types whose values have nothing inside, and that narwhals does not know.
_SCALARS: Final = frozenset(("UUID", "BIT", "NULL", '"NULL"', "INTERVAL", "VOID"))


def columns_of(frame: nw.LazyFrame[Any], objects: Mapping[str, str] | None = None) -> dict[str, Column]:
    """The columns of a frame by name, in its order; `objects` as `read_pandas` gives them."""
    objects = objects or {}
    natives = _natives(frame.to_native())
    return {
        name: Column(
            name,
            str(dtype),
            None if name in objects else _kind(dtype),
            floating=dtype.is_float(),
            mixed=name in objects,
            opaque=objects.get(name, "") or _opaque(dtype, natives.get(name, "")),
            paths=tuple(_nested(name, dtype)),
        )
        for name, dtype in frame.collect_schema().items()
    }


def _natives(native: Any) -> dict[str, str]:
    """What the engine itself calls the types, by column, where that says more."""
    module = type(native).__module__
    if module.startswith("polars"):
        return {name: str(dtype).upper() for name, dtype in native.collect_schema().items()}
    if "duckdb" in module:
        return {name: str(dtype) for name, dtype in zip(native.columns, native.types, strict=True)}
    return {name: dtype.upper() for name, dtype in native.dtypes} if hasattr(native, "dtypes") else {}


def _opaque(dtype: Any, native: str) -> str:
    """The type, where it is one whose inside has no names to look at: a map, JSON, Python's objects."""
    import narwhals as nw  # noqa: PLC0415 - an extra

    if native == "JSON" or native.startswith("MAP"):
        return native
    return (native or str(dtype)) if dtype in (nw.Unknown, nw.Object) and native not in _SCALARS else ""


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
    """The fields inside of structs, also those in lists and maps."""
    for field in getattr(dtype, "fields", ()):
        yield f"{path}.{field.name}"
        yield from _nested(f"{path}.{field.name}", field.dtype)
    for inner in (getattr(dtype, "inner", None), getattr(dtype, "value", None)):
        if inner is not None:
            yield from _nested(path, inner)
