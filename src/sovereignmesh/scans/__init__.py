"""The runs of an account's scans: starting them, following them to their ends, what there was, and cancelling."""

from sovereignmesh.scans.result import ScanRun, ScanRuns
from sovereignmesh.scans.run import Level, cancel_scan, run_scan, run_scans, scan_history, watch_scans
from sovereignmesh.scans.watch import AT_ONCE, Watching

__all__ = [
    "AT_ONCE",
    "Level",
    "ScanRun",
    "ScanRuns",
    "Watching",
    "cancel_scan",
    "run_scan",
    "run_scans",
    "scan_history",
    "watch_scans",
]
