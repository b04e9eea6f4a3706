"""Any result as a file, by suffix."""

from sovereignmesh.report.write import SUFFIXES, write_csv, write_json, write_markdown, write_report

__all__ = ["SUFFIXES", "write_csv", "write_json", "write_markdown", "write_report"]
