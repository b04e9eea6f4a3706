"""What all tests share."""

import datetime as dt
import signal
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SHARED = ROOT.parent / "shared"

# A skip for any other reason fails the run: a test that nobody runs is no test.
SKIPS = (
    "the recorded material is not here",
    "the machine has no file permissions to deny (root)",
)


def pytest_configure():
    # A shell's background jobs ignore interruptions, and Python leaves it so.
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_terminal_summary(terminalreporter):
    for report in terminalreporter.stats.get("skipped", []):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        if not any(known in reason for known in SKIPS):
            terminalreporter.write_line(f"skipped for an unlisted reason: {reason}", red=True)


def pytest_sessionfinish(session):
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    for report in reporter.stats.get("skipped", []) if reporter else []:
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        if not any(known in reason for known in SKIPS):
            session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.fixture
def now():
    return lambda: dt.datetime(2026, 11, 24, 12, 0, tzinfo=dt.UTC)


@pytest.fixture(scope="session")
def fixtures():
    return ROOT / "fixtures"


@pytest.fixture(scope="session")
def recorded():
    """The folder of recorded material, which lives beside the project and is not part of it."""
    if not (SHARED / "estates").is_dir():
        pytest.skip("the recorded material is not here")
    return SHARED
