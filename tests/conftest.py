"""What all tests share."""

import contextlib
import datetime as dt
import gc
import signal
from pathlib import Path

import pytest
from clock import open_still

ROOT = Path(__file__).parents[1]
SHARED = ROOT.parent / "shared"

# A skip for any other reason fails the run: a test that nobody runs is no test.
SKIPS = (
    "the recorded material is not here",
    "the machine has no file permissions to deny (root)",
    "PySpark needs Java 17",
)


def pytest_configure(config):
    config.addinivalue_line("markers", "off_spec(pattern, ...): speaks to Purview off the specification, on purpose")
    # A shell's background jobs ignore interruptions, and Python leaves it so.
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_finish(session):
    """Thousands of tests, and all that they import, stay to the end: no collection needs to go through them again."""
    gc.collect()
    gc.freeze()


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


@pytest.fixture
def open_azure():
    """Opens sandboxes whose waits take no time, and closes them."""
    with contextlib.ExitStack() as opened:
        yield lambda estate="contoso", **options: opened.enter_context(open_still(estate, **options))


@pytest.fixture(scope="session")
def fixtures():
    return ROOT / "fixtures"


@pytest.fixture(scope="session")
def recorded():
    """The folder of recorded material, which lives beside the project and is not part of it."""
    if not (SHARED / "estates").is_dir():
        pytest.skip("the recorded material is not here")
    return SHARED


@pytest.fixture(scope="session")
def _purview():
    """What the whole run says to Purview, or None where the specifications are not."""
    folder = SHARED / "purview-specs"
    if not folder.is_dir():
        yield None
        return
    from openapi.watch import Exchanges

    with Exchanges(folder).watching() as seen:
        yield seen


@pytest.fixture(autouse=True)
def _fits_purview(request, _purview):
    """Whatever goes to Purview must fit the official specification, and so must what the sandbox answers.

    `off_spec` forgives what one of its regular expressions finds; each must find something.
    """
    yield
    if _purview is None:
        return
    patterns = [pattern for marker in request.node.iter_markers("off_spec") for pattern in marker.args]
    wrong = _purview.unforgiven(patterns)
    _purview.clear()  # here, not before the test: the fixtures of its module may have spoken for it
    if wrong:
        pytest.fail("off Purview's specification:\n" + "\n".join(wrong), pytrace=False)


@pytest.fixture
def exchanges(_purview):
    """What this test has said to Purview so far: `operations`, `violations`, `soft`."""
    if _purview is None:
        pytest.skip("the recorded material is not here")
    return _purview
