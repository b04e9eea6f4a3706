"""The record: what is added stays, and what is changed shows."""

import json
import os
import stat

import pytest

import sovereignmesh as sm
from sovereignmesh.access.record import Entry
from sovereignmesh.errors import RecordError

ENTRIES = [
    Entry("request", "sending", "account", product="Customer 360", comment="Why not? \u2028 \x1b[31m\nnext"),
    Entry("request", "accepted", "account", request="1", runs=("1", "2")),
    Entry("approve", "sending", "account", request="1", actor="somebody"),
    Entry("approve", "accepted", "account", request="1", actor="somebody"),
]


@pytest.fixture
def kept(record):
    for some in (ENTRIES[:2], ENTRIES[2:]):
        with record.writing() as add:
            for entry in some:
                add(entry)
    return record


def lines(record):
    return record.path.read_bytes().splitlines(keepends=True)


def test_what_was_added_is_read(kept):
    entries, broken = kept.read()
    assert broken == ""
    assert {entry.at for entry in entries} == {"2026-11-30T12:00:00.000Z"}
    bare = [{**json.loads(line), "at": ""} for line in lines(kept)]
    assert [Entry(**{**it, "runs": tuple(it["runs"])}) for it in map(without_hash, bare)] == ENTRIES
    assert stat.S_IMODE(kept.path.stat().st_mode) == 0o600


def without_hash(line):
    return {key: value for key, value in line.items() if key != "hash"}


def test_a_record_that_is_not_there_is_empty(record):
    assert record.read() == ((), "")


@pytest.mark.parametrize("number", range(4))
@pytest.mark.parametrize("how", ["changed", "removed", "doubled", "swapped", "cut"])
def test_whatever_is_changed_shows(kept, number, how):
    told = lines(kept)
    if how == "changed":
        told[number] = told[number].replace(b'"account": "account"', b'"account": "another"')
    elif how == "removed":
        del told[number]
    elif how == "doubled":
        told.insert(number, told[number])
    elif how == "swapped":
        told[number], told[number - 1] = told[number - 1], told[number]
    else:
        told[number] = told[number][:40] + b"\n"
    kept.path.write_bytes(b"".join(told))
    if how == "removed" and number == 3:  # what is missing at the end only a copy of the last hash shows
        assert kept.read().broken == ""
    else:
        assert kept.read().broken.startswith("line ")


def test_half_a_line_stays_and_what_comes_after_it_is_a_line_of_its_own(kept):
    kept.path.write_bytes(kept.path.read_bytes()[:-30])
    with kept.writing() as add:
        add(ENTRIES[0])
    entries, broken = kept.read()
    assert broken == "line 4 is no entry"
    assert len(entries) == 4
    assert entries[-1].product == "Customer 360"


@pytest.mark.parametrize(
    "line", [b"[]", b"5", b"{}", b"null", b"\xff", b'{"hash": 1}', b'{"hash": "x", "action": 5, "runs": []}']
)
def test_what_is_no_entry_is_said(record, line):
    record.path.write_bytes(line + b"\n")
    assert record.read() == ((), "line 1 is no entry")


def test_two_do_not_write_at_once(kept):
    with kept.writing() as add, pytest.raises(RecordError, match="another run"), sm.AccessRecord(kept.path).writing():
        pass
    with kept.writing() as add:
        add(ENTRIES[0])
    assert kept.read().broken == ""


@pytest.mark.parametrize(
    ("name", "why"),
    [("link", "it is a link"), (".", "it is a folder"), ("pipe", "it is a pipe"), ("/dev/null", "it is a device")],
)
def test_a_link_a_folder_a_pipe_and_a_device_are_no_records(tmp_path, name, why):
    (tmp_path / "there").write_text("")
    (tmp_path / "link").symlink_to(tmp_path / "there")
    os.mkfifo(tmp_path / "pipe")
    record = sm.AccessRecord(tmp_path / name)
    with pytest.raises(RecordError, match=f"cannot be written: {why}; name another with --record"), record.writing():
        pass
    with pytest.raises(RecordError, match=f"cannot be read: {why}; name another with --record"):
        record.read()


def test_a_folder_that_is_not_there_holds_no_record(tmp_path):
    record = sm.AccessRecord(tmp_path / "no" / "x")
    assert record.read() == ((), "")
    with pytest.raises(RecordError, match="cannot be written: No such"), record.writing():
        pass


def test_a_full_disk_is_said(record, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    with record.writing() as add:
        monkeypatch.setattr(os, "fsync", full)
        with pytest.raises(RecordError, match="cannot be written: No space left"):
            add(ENTRIES[0])


@pytest.mark.parametrize("interruption", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_a_line_is_added_wholly_or_not_at_all(kept, monkeypatch, interruption):
    before, write = kept.path.read_bytes(), os.write

    def half(handle, line):
        if len(line) < 100:
            raise interruption
        return write(handle, line[: len(line) - 50])

    with kept.writing() as add:
        with monkeypatch.context() as patch:
            patch.setattr(os, "write", half)
            with pytest.raises(RecordError if isinstance(interruption, OSError) else KeyboardInterrupt):
                add(ENTRIES[0])
        assert kept.path.read_bytes() == before
        add(ENTRIES[1])
    entries, broken = kept.read()
    assert (len(entries), broken) == (5, "")


@pytest.mark.parametrize("line", [b"[" * 200_000, b'{"a":' * 200_000])
def test_a_line_that_is_nested_without_end_is_no_entry(kept, line):
    kept.path.write_bytes(kept.path.read_bytes() + line + b"\n")
    assert kept.read().broken == "line 5 is no entry"


@pytest.mark.parametrize("data", [b"purview:\n  account: x\n", b"{}\n", b'{"version": 1}', b"\xff", b"[" * 200_000])
def test_another_file_is_not_written_to(record, data):
    record.path.write_bytes(data)
    with pytest.raises(RecordError, match="it is another file, and has no entry; name another"), record.writing():
        pass
    assert record.path.read_bytes() == data


def test_an_empty_file_becomes_a_record(record):
    record.path.write_bytes(b"")
    with record.writing() as add:
        add(ENTRIES[0])
    assert record.read().broken == ""
