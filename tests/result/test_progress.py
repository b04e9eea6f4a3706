import io

from rich.console import Console

from sovereignmesh.result import progress


def test_the_bar_passes_every_row_on_and_shows_the_name_as_it_is(monkeypatch):
    stream = io.StringIO()
    console = Console(file=stream, force_terminal=True, width=80)
    monkeypatch.setattr(progress, "Console", lambda **_: console)
    at = iter(range(100))
    with progress.with_bar(range(2500), lambda: next(at), 3, "Auditing [red]\x1b[2Jx") as rows:
        assert list(rows) == list(range(2500))
    assert r"[red]\x1b[2Jx" in stream.getvalue()
