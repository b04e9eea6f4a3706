import io

from rich.console import Console

from sovereignmesh.result import progress


def test_the_bar_follows_the_work_and_shows_the_name_as_it_is(monkeypatch):
    stream = io.StringIO()
    console = Console(file=stream, force_terminal=True, width=100)
    monkeypatch.setattr(progress, "Console", lambda **_: console)
    at = [0, 0]
    with progress.follow(lambda: at[0], lambda: at[1], "Auditing [red]\x1b[2Jx"):
        at[:] = [30, 40]
    assert r"[red]\x1b[2Jx" in stream.getvalue()
    assert "75%" in stream.getvalue()
