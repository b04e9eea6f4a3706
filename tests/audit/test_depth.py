"""Audits at full depth: the children that tell what the list does not show, under every fault, resumed and cut off."""

import gzip
import json
import os
import signal
from collections import Counter
from contextlib import contextmanager

import pytest
from audit.estates import DEVELOPMENT, STRIKING
from clock import open_still
from estates.building import BUILD, DEPTH_TRUTH

from sovereignmesh.audit import audit_azure, checkpoint, tally
from sovereignmesh.audit.checkpoint import Checkpoint, KeepingReader
from sovereignmesh.audit.depth import _with_children
from sovereignmesh.azure import Ask, AzureInventory, Told
from sovereignmesh.errors import AzureError, CheckpointError
from sovereignmesh.facts import child_reads
from sovereignmesh.result import AZURE_CHECKS
from sovereignmesh.sandbox import estate_mesh, find_fault

COLUMNS = ("check", "resource_id", "subject", "state", "severity", "reason")


def findings_of(audit):
    return {tuple(getattr(finding, column) for column in COLUMNS) for finding in audit.findings}


@pytest.fixture(scope="module")
def truth():
    return {tuple(finding[column] for column in COLUMNS) for finding in json.loads(DEPTH_TRUTH.read_text())}


@pytest.fixture(scope="module")
def due(small, mesh):
    """What an audit finds in the small estate when nothing goes wrong."""
    with open_still(small[0]) as azure:
        audit = audit_azure(azure, mesh)
    assert audit.complete
    return findings_of(audit)


def test_what_is_found_is_what_was_planted(open_estate, mesh, truth, now):
    audit = audit_azure(open_estate(), mesh, now=now)
    assert audit.coverage.gaps == ()
    assert findings_of(audit) == truth
    assert audit.complete
    assert audit.scope.depth == "full"
    assert audit.coverage.children > 400
    assert audit.policy.not_answerable == ()
    assert set(audit.summary) == set(AZURE_CHECKS)


def test_children_do_not_count_as_resources(open_estate, mesh, now):
    deep = audit_azure(open_estate(), mesh, now=now)
    flat = audit_azure(open_estate(), mesh, depth="inventory", now=now)
    assert deep.coverage.resources == flat.coverage.resources == flat.coverage.expected
    assert flat.coverage.children == 0
    assert deep.coverage.repeated == 0
    assert sum(kind.resources for kind in deep.coverage.types) == deep.coverage.resources + deep.coverage.children
    assert set(flat.policy.not_answerable) == {"processing-region", "log-region"}


def test_a_finding_says_when_what_it_rests_on_was_read(open_estate, mesh, now):
    audit = audit_azure(open_estate(), mesh, subscriptions=["customer-prod"], now=now)
    assert {finding.read_at for finding in audit.findings} == {"2026-11-24T12:00:00Z"}


@pytest.mark.parametrize("page_size", [1, 3])
def test_the_size_of_pages_changes_nothing(open_estate, small, mesh, now, page_size):
    one = audit_azure(open_estate(small[0], page_size=page_size), mesh, now=now)
    other = audit_azure(open_estate(small[0], page_size=1000), mesh, now=now)
    assert findings_of(one) == findings_of(other)
    assert one.complete
    assert one.coverage.children == other.coverage.children


def asked_of(azure, mesh, **options):
    """The forecast, and the requests that were sent for children."""
    told, sent = [], Counter()
    handle = azure.send

    def send(method, path, *rest, **more):
        sent["batch" if path == "/batch" else method] += 1
        return handle(method, path, *rest, **more)

    azure.send = send
    audit = audit_azure(azure, mesh, on_forecast=told.append, **options)
    return audit, told, sent


def test_the_forecast_says_what_is_asked(open_estate, small, mesh, now):
    _, (rows, children), sent = asked_of(open_estate(small[0]), mesh, now=now)
    assert rows.rows
    # The vaults' keys come on top, and what the subscriptions list by themselves.
    assert sent["batch"] <= children.requests + 3 + 8 * len(DEVELOPMENT)
    assert sum(children.calls.values()) > 100
    assert children.known == 0
    kinds = {read.child for reads in child_reads().values() for read in reads}
    assert set(children.calls) <= kinds


@pytest.mark.parametrize(
    ("check", "kinds"),
    [
        ("required-tags", set()),
        ("processing-region", {"Microsoft.CognitiveServices/accounts/deployments",
                               "Microsoft.DataFactory/factories/integrationRuntimes",
                               "Microsoft.Synapse/workspaces/integrationRuntimes"}),
    ],
)  # fmt: skip
def test_only_what_a_check_needs_is_read(open_estate, mesh, now, check, kinds):
    audit, (_, children), sent = asked_of(open_estate(), mesh, checks=[check], now=now)
    assert set(children.calls) <= kinds
    assert bool(sent["batch"]) == bool(kinds)
    assert audit.complete


# Each fault where the sandbox puts it and where children begin to be read; those that last also when some were read,
# and while the list is read: after one that passes it goes on as if there had been none, wherever that was.
LASTING = [fault for fault in STRIKING if find_fault(fault).times is None]
STRIKES = [
    *STRIKING,
    *(f"{fault}:children@1" for fault in STRIKING),
    *(f"{fault}:{place}" for fault in LASTING for place in ("children@6", "graph@2")),
]


@pytest.mark.parametrize("fault", STRIKES)
def test_a_fault_never_makes_a_lie(open_estate, small, mesh, due, fault, monkeypatch):  # noqa: PLR0917
    monkeypatch.setattr(tally, "_SHOWN_GAPS", 10_000)  # all of them must be named
    azure = open_estate(small[0], faults=[fault], page_size=20)
    rows = []
    try:
        audit = audit_azure(azure, mesh, progress=lambda inventory: Counting(inventory, rows))
    except AzureError as error:
        assert not rows, f"{len(rows)} rows were lost by {error}"  # noqa: PT017
        return
    found = findings_of(audit)
    if audit.complete:
        assert found == due
        return
    assert audit.coverage.gaps
    assert all(gap.why and gap.what for gap in audit.coverage.gaps)
    # Nothing passes that should not: what is missing is named, or told as unknown; what is new is not known either.
    unread = {gap.what.lower() for gap in audit.coverage.gaps} | {
        f"/subscriptions/{scope.id}" for scope in audit.coverage.scopes if scope.state != "read"
    }
    unknown = {finding[1].lower() for finding in found if finding[3] == "unknown"}
    judged = {finding[:3] for finding in found}
    for finding in due - found:
        named = any(finding[1].lower().startswith(place) for place in (*unread, *unknown))
        assert finding[:3] in judged or named, finding
    more = {finding for finding in found - due if finding[3] == "non-compliant"}
    assert all(any(finding[1].lower().startswith(place) for place in unread) for finding in more), more


class Counting:
    """A progress that counts the rows which were given."""

    def __init__(self, inventory, rows):
        self.inventory, self.rows = inventory, rows

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.rows.extend(range(self.inventory.position))


@pytest.mark.parametrize(
    "fault",
    ["throttled:children", "throttled-silent:children@2", "server-errors:children@3", "reset:children",
     "truncated:children", "html:children", "token-expired:children", "no-batch", "part-throttled", "part-lost"],
)  # fmt: skip
def test_what_passes_is_got_over(open_estate, small, mesh, now, due, fault):  # noqa: PLR0917
    audit = audit_azure(open_estate(small[0], faults=[fault]), mesh, now=now)
    assert audit.coverage.gaps == ()
    assert findings_of(audit) == due


@pytest.mark.parametrize(
    ("fault", "word"),
    [("part-denied", "403 AuthorizationFailed"), ("server-down:children", "503 "),
     ("throttled-a-day:children", "429"), ("html-always:children", "makes no sense"),
     ("reset-always:children", "no connection")],
)  # fmt: skip
def test_what_stays_is_a_gap_with_its_reason(open_estate, small, mesh, now, fault, word):  # noqa: PLR0917
    azure = open_estate(small[0], faults=[fault])
    audit = audit_azure(azure, mesh, now=now)
    assert not audit.complete
    assert {scope.state for scope in audit.coverage.scopes} == {"read"}  # the list itself was
    assert any(word in gap.why for gap in audit.coverage.gaps)
    assert any(finding.reason == "child-not-read" for finding in audit.findings)
    assert azure.pace.clock.now < 2000  # who cannot be reached is not asked for ever


@pytest.mark.parametrize("deadline", [1.5, 4.0, 60.0])
def test_the_time_given_ends_with_what_there_is(open_estate, mesh, now, deadline):
    azure = open_estate(faults=["throttled:children", "throttled-silent:children@5"])
    audit = audit_azure(azure, mesh, deadline=deadline, now=now)
    assert audit.coverage.resources > 700


def test_an_interruption_keeps_what_was_read_and_names_the_rest(open_estate, small, mesh, now):
    azure = open_estate(small[0])
    handle, calls = azure.send, Counter()

    def send(method, path, *rest, **more):
        calls[path == "/batch"] += 1
        if calls[True] == 4:
            signal.raise_signal(signal.SIGINT)
        return handle(method, path, *rest, **more)

    azure.send = send
    whole = audit_azure(open_estate(small[0]), mesh, now=now)
    audit = audit_azure(azure, mesh, now=now)
    assert not audit.complete
    assert audit.coverage.resources == whole.coverage.resources
    assert any("interrupted" in gap.why for gap in audit.coverage.gaps)
    assert any("could not be read" in gap.why for gap in audit.coverage.gaps)
    assert {finding.id for finding in whole.findings if finding.check == "public-access"} == {
        finding.id for finding in audit.findings if finding.check == "public-access"
    }


def test_a_run_that_was_cut_off_is_finished_by_the_next(open_estate, small, mesh, now, due, tmp_path):  # noqa: PLR0917
    file = tmp_path / "children.jsonl"
    broken = open_estate(small[0], faults=["server-down:batch@5", "server-down:children@8"])
    first = audit_azure(broken, mesh, resume=file, now=now)
    assert not first.complete
    assert file.stat().st_mode & 0o077 == 0
    kept = len(file.read_bytes().splitlines()) - 1
    assert kept > 20
    second, (_, children), sent = asked_of(open_estate(small[0]), mesh, resume=file, now=now)
    assert second.complete
    assert findings_of(second) == due
    assert 20 < children.known <= kept
    _, _, everything = asked_of(open_estate(small[0]), mesh, now=now)
    assert sent["batch"] < everything["batch"]
    assert not file.exists()


def test_what_a_checkpoint_holds_is_as_old_as_it_was_read(open_estate, small, mesh, now, tmp_path):
    file = tmp_path / "children.jsonl"
    audit_azure(open_estate(small[0], faults=["server-down:children@9"]), mesh, resume=file, now=now)
    later = now().replace(hour=18)
    audit = audit_azure(open_estate(small[0]), mesh, resume=file, now=lambda: later)
    ages = {finding.read_at for finding in audit.findings}
    assert ages == {"2026-11-24T12:00:00Z", "2026-11-24T18:00:00Z"}


def test_what_is_older_than_a_day_is_read_again(open_estate, small, mesh, now, tmp_path):
    file = tmp_path / "children.jsonl"
    audit_azure(open_estate(small[0], faults=["server-down:children@9"]), mesh, resume=file, now=now)
    tomorrow = now().replace(day=25, hour=13)
    _, (_, children), _ = asked_of(open_estate(small[0]), mesh, resume=file, now=lambda: tomorrow)
    assert children.known == 0


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (b"not json\n", "no checkpoint"), (b"{}\n", "no checkpoint"), (b"\x00\xff\n", "no checkpoint"),
        (b'{"schema":"sovereignmesh.checkpoint/v1","scope":"public, tenant x"}\n', "public, tenant x"),
    ],
)  # fmt: skip
def test_a_file_that_is_none_of_ours_is_left_alone(open_estate, small, mesh, tmp_path, content, word):  # noqa: PLR0917
    file = tmp_path / "children.jsonl"
    file.write_bytes(content)
    with pytest.raises(CheckpointError, match=word):
        audit_azure(open_estate(small[0]), mesh, resume=file)
    assert file.read_bytes() == content


def test_half_a_line_at_the_end_costs_no_more_than_itself(open_estate, small, mesh, now, tmp_path):
    file = tmp_path / "children.jsonl"
    audit_azure(open_estate(small[0], faults=["server-down:children@9"]), mesh, resume=file, now=now)
    whole = file.read_bytes()
    file.write_bytes(whole[:-7])
    audit, (_, children), _ = asked_of(open_estate(small[0]), mesh, resume=file, now=now)
    assert audit.complete
    assert children.known > 20


def pack(path, rows):
    path.write_bytes(gzip.compress("\n".join(map(json.dumps, rows)).encode()))


DEEP = [planting.name for planting in BUILD.PLANTINGS if planting.findings("full") != planting.findings("inventory")]


@pytest.mark.parametrize("part", range(4))
def test_plantings_taken_back_take_their_findings_and_no_others(mesh, now, tmp_path, part):
    """Of the plantings that full depth shows; a quarter of them at once, since each asks for a whole estate."""
    names = DEEP[part::4]
    assert len(names) >= 8
    source = estate_mesh("contoso").parent
    about = json.loads((source / "estate.json").read_text())
    del about["purview"]  # what is in an account is none of its resources
    (tmp_path / "estate.json").write_text(json.dumps(about))
    pack(tmp_path / about["resources"], BUILD.build_estate(without=names))
    pack(tmp_path / about["children"], BUILD.build_children(without=names))
    (tmp_path / about["policy"]).write_bytes((source / about["policy"]).read_bytes())
    with open_still(tmp_path) as azure:
        audit = audit_azure(azure, mesh, now=now)
    wanted = {tuple(finding[column] for column in COLUMNS) for finding in BUILD.truth(without=names, depth="full")}
    assert findings_of(audit) == wanted


def test_without_plantings_there_is_nothing_to_find(mesh, now, tmp_path):
    names = [planting.name for planting in BUILD.PLANTINGS]
    source = estate_mesh("contoso").parent
    about = json.loads((source / "estate.json").read_text())
    del about["purview"]  # what is in an account is none of its resources
    del about["policy"]
    (tmp_path / "estate.json").write_text(json.dumps(about))
    pack(tmp_path / about["resources"], BUILD.build_estate(without=names))
    pack(tmp_path / about["children"], BUILD.build_children(without=names))
    with open_still(tmp_path) as azure:
        audit = audit_azure(azure, mesh, now=now)
    assert findings_of(audit) == set()
    assert audit.compliant
    assert audit.complete
    assert audit.coverage.children > 300


@pytest.fixture
def kept(open_estate, small, mesh, now, tmp_path):
    """A checkpoint that a run which was cut off has left."""
    file = tmp_path / "children.jsonl"
    audit_azure(open_estate(small[0], faults=["server-down:children@9"]), mesh, resume=file, now=now)
    return file


@pytest.mark.parametrize(
    "change",
    [{"at": "2999-01-01T00:00:00Z"}, {"at": "zzz"}, {"at": None}, {"items": [1]}, {"items": None}, {"asked": None},
     {"asked": "/subscriptions/x?2020-01-01"}],
)  # fmt: skip
def test_what_no_run_can_have_kept_is_not_used(open_estate, small, mesh, now, due, kept, change):  # noqa: PLR0917
    head, *lines = kept.read_text().splitlines()
    kept.write_text("\n".join([head, *(json.dumps({**json.loads(line), **change}) for line in lines), ""]))
    audit, (_, children), _ = asked_of(open_estate(small[0]), mesh, resume=kept, now=now)
    assert children.known == 0
    assert findings_of(audit) == due


def test_a_file_that_no_run_finishes_does_not_grow_for_ever(open_estate, small, mesh, now, kept):
    sizes = []
    for day in (25, 26, 27):
        later = now().replace(day=day, hour=13)
        azure = open_estate(small[0], faults=["server-down:children@9"])
        audit_azure(azure, mesh, resume=kept, now=lambda later=later: later)
        sizes.append(kept.stat().st_size)
    assert sizes[-1] < sum(sizes[:-1])  # what is too old is not there any more
    assert [path.name for path in kept.parent.iterdir()] == [kept.name]


@pytest.mark.parametrize("what", ["folder", "link", "pipe", "no folder"])
def test_only_an_ordinary_file_keeps_children(open_estate, small, mesh, tmp_path, what):
    file = tmp_path / "c"
    if what == "folder":
        file.mkdir()
    elif what == "link":
        (tmp_path / "elsewhere").write_text("")
        file.symlink_to(tmp_path / "elsewhere")
    elif what == "pipe":
        os.mkfifo(file)
    else:
        file = file / "d"
    with pytest.raises(CheckpointError, match="cannot be used"):
        audit_azure(open_estate(small[0]), mesh, resume=file)


def test_two_runs_do_not_share_a_checkpoint(open_estate, small, mesh, now, kept):
    mine = Checkpoint(kept, "sandbox, tenant aaaaaaaa-aaaa-aaaa-aaaa-aaaaaaaaaaaa", now())
    with mine, pytest.raises(CheckpointError, match="another run"):
        audit_azure(open_estate(small[0]), mesh, resume=kept, now=now)
    assert audit_azure(open_estate(small[0]), mesh, resume=kept, now=now).complete


def test_what_was_kept_for_other_facts_answers_nothing(tmp_path, now):
    asked = Ask("/subscriptions/s/providers/p/list", "2025-01-01", many=True, properties=("state",))
    with Checkpoint(tmp_path / "c", "x", now()) as mine:
        mine.keep(asked, Told([{"id": "a", "properties": {"state": "On"}}], "", "2026-11-24T12:00:00Z"))
    with Checkpoint(tmp_path / "c", "x", now()) as mine:
        assert mine.find(asked).items == [{"id": "a", "properties": {"state": "On"}}]
        for other in (("state", "uri"), (), None):
            assert mine.find(asked._replace(properties=other)) is None
        assert mine.find(asked._replace(api_version="2026-01-01")) is None


def test_a_full_disk_costs_the_checkpoint_and_not_the_audit(  # noqa: PLR0917
    open_estate, small, mesh, now, due, tmp_path, monkeypatch, caplog
):
    write, lines = os.write, Counter()

    def full(handle, data):
        """A disk that takes the first half of the seventh line and no more; all else is written."""
        lines[len(data) > 1] += 1
        if lines[True] < 7:
            return write(handle, data)
        if lines[True] == 7:
            return write(handle, bytes(data)[: len(data) // 2])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(checkpoint.os, "write", full)
    audit = audit_azure(open_estate(small[0]), mesh, resume=tmp_path / "c", now=now)
    assert findings_of(audit) == due
    assert caplog.text.count("No space left on device") == 1
    assert not (tmp_path / "c").exists()


def test_a_full_disk_costs_a_resumed_audit_no_more(  # noqa: PLR0917
    open_estate, small, mesh, now, due, tmp_path, monkeypatch
):
    file = tmp_path / "c"
    audit_azure(open_estate(small[0], faults=["server-down:children@5"]), mesh, resume=file, now=now)
    with file.open("ab") as half:
        half.write(b'{"asked": "')  # so that it would be written anew

    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(checkpoint.os, "write", full)
    monkeypatch.setattr(checkpoint.tempfile, "NamedTemporaryFile", full)
    audit, (_, children), _ = asked_of(open_estate(small[0]), mesh, resume=file, now=now)
    assert children.known > 20
    assert findings_of(audit) == due
    assert [path.name for path in tmp_path.iterdir()] == []


@contextmanager
def listed_as(change):
    """The inventory lists what `change` makes of each row, and not that of which it makes nothing."""
    listed = AzureInventory.__iter__
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(AzureInventory, "__iter__", lambda inventory: filter(None, map(change, listed(inventory))))
        yield


def test_a_body_that_is_nested_too_deeply_is_not_kept(tmp_path, now):
    deep = {}
    for _ in range(300):
        deep = {"x": deep}
    asked = Ask("/subscriptions/s/x", "1", many=True)
    with Checkpoint(tmp_path / "c", "x", now()) as mine:
        mine.keep(asked, Told([deep], "", "2026-11-24T12:00:00Z"))
        mine.keep(asked._replace(path="/subscriptions/s/y"), Told([{}], "", "2026-11-24T12:00:00Z"))
    with Checkpoint(tmp_path / "c", "x", now()) as mine:
        assert asked not in mine
        assert asked._replace(path="/subscriptions/s/y") in mine


@pytest.mark.parametrize("at", ["2026-11-24T11:00:00zzz", "2026-11-24", "2026-11-24T11:00:00+09:00", "2026-11-24T1"])
def test_an_answer_whose_time_is_none_is_not_used_again(tmp_path, now, at):
    asked = Ask("/subscriptions/s/x", "1", many=True)
    with Checkpoint(tmp_path / "c", "x", now()) as mine:
        mine.keep(asked, Told([{}], "", at))
    with Checkpoint(tmp_path / "c", "x", now()) as mine:
        assert asked not in mine


def test_what_only_rows_of_ours_have_is_not_taken_from_azure(tmp_path, now):
    class Azures:
        def read(self, asks):
            return [Told([{"id": "a", "inList": True, "children": {}}], "", "2026-11-24T12:00:00Z") for _ in asks]

    asks = [Ask("/subscriptions/s/x", "1", many=True)]
    with Checkpoint(tmp_path / "c", "x", now()) as mine:
        for kept in (None, mine, mine):
            assert [told.items for told in KeepingReader(Azures(), kept).read(asks)] == [[{"id": "a"}]]


def without_protection(row):
    if row["type"].lower() == "microsoft.keyvault/vaults":
        row["properties"].pop("enablePurgeProtection", None)
    return row


@pytest.fixture(scope="module")
def plain(mesh):
    """What the inventory lists, without purge protection and without what hides the vault of its key."""
    with listed_as(without_protection), open_still("contoso") as azure:
        audit = audit_azure(azure, mesh, checks=["key-residency"])
    hidden = {
        finding.resource_id.lower()
        for finding in audit.findings
        if finding.state == "unknown" and finding.reason != "no-reference-seen"
        if not finding.actual.startswith("vault ")  # which is not in the inventory, and has its name
    }
    assert len(hidden) > 3
    return lambda row: None if row["id"].lower() in hidden else without_protection(row)


def unreferenced(azure, mesh, change, **options):
    """The states of the vaults that no key of the estate lies in, and why."""
    with listed_as(change):
        audit = audit_azure(azure, mesh, checks=["key-residency"], show_compliant=True, **options)
    unused = ("kv-sales-dev-pricing", "kv-customer-dev-loyalty", "kv-finance-dev-invoices")
    return {(found.state, found.reason) for found in audit.findings if found.resource_id.rpartition("/")[2] in unused}


UNUSED, UNSEEN = {("not-applicable", "no-customer-key")}, {("unknown", "no-reference-seen")}


def test_a_vault_that_nobody_uses_needs_no_protection(open_estate, mesh, plain):
    assert unreferenced(open_estate(), mesh, plain) == UNUSED


def test_a_vault_is_not_unused_where_others_do_not_say_what_they_use(open_estate, mesh):
    assert unreferenced(open_estate(), mesh, without_protection) == UNSEEN


@pytest.mark.parametrize(
    "options", [{"subscriptions": ["sales-dev", "customer-dev", "finance-dev"]}, {"exclude": ["sales-prod"]}]
)
def test_a_vault_is_not_unused_where_others_were_not_asked_for(open_estate, mesh, plain, options):
    assert unreferenced(open_estate(), mesh, plain, **options) == UNSEEN


@pytest.mark.parametrize("faults", [["server-down:children@1"], ["part-denied:children@1"]])
def test_a_vault_is_not_unused_where_others_could_not_be_read(open_estate, mesh, plain, faults):
    assert unreferenced(open_estate(faults=faults), mesh, plain) == UNSEEN


def test_a_vault_is_not_unused_where_what_holds_a_key_is_not_seen(open_estate, mesh, plain):
    disks = []

    def change(row):
        if row["type"].lower() == "microsoft.compute/disks" and not disks:
            disks.append(row["id"])
            missing = row["id"].rpartition("/disks/")[0] + "/diskEncryptionSets/elsewhere"
            row["properties"]["encryption"] = {
                "type": "EncryptionAtRestWithCustomerKey",
                "diskEncryptionSetId": missing,
            }
        return plain(row)

    assert unreferenced(open_estate(), mesh, change) == UNSEEN
    assert disks


@pytest.mark.parametrize("lost", ["keyvaultproperties", "keyname"])
def test_a_vault_is_not_unused_where_one_reference_is_lost(open_estate, mesh, plain, lost):
    users = []

    def change(row):
        encryption = (row.get("properties") or {}).get("encryption") or {}
        used = encryption.get("keyvaultproperties")
        if row["type"].lower() == "microsoft.storage/storageaccounts" and used and not users:
            users.append(row["id"])
            if lost == "keyname":
                used.clear()
                used["keyvaulturi"] = "https://kv-sales-dev-pricing.vault.azure.net/"
            else:
                del encryption["keyvaultproperties"]
        return plain(row)

    found = unreferenced(open_estate(), mesh, change)
    assert users
    # A vault that is named without its key is used by it, and fails by itself.
    assert found == (UNSEEN if lost == "keyvaultproperties" else UNUSED | {("non-compliant", "no-purge-protection")})


def test_the_lists_of_a_subscription_are_read_though_its_own_row_is_missing(open_estate, mesh, now, truth):
    with listed_as(lambda row: None if row["type"].lower() == "microsoft.resources/subscriptions" else row):
        audit = audit_azure(open_estate(), mesh, now=now)
    of_lists = {found for found in truth if "/deletedvaults/" in found[1].lower()}
    assert of_lists
    assert of_lists <= findings_of(audit)


def test_a_depth_that_there_is_not_is_refused(open_estate, small, mesh):
    with pytest.raises(ValueError, match="depth is one of inventory, full, not 'ful'"):
        audit_azure(open_estate(small[0]), mesh, depth="ful")


@pytest.mark.parametrize("faults", [["row-twice:children@1"], ["no-batch", "row-twice:children@1"]])
def test_a_child_that_stands_in_the_place_of_another_is_a_gap(open_estate, mesh, faults):
    audit = audit_azure(open_estate(faults=faults), mesh)
    assert not audit.complete
    assert any("names one child twice" in gap.why for gap in audit.coverage.gaps)


def test_what_was_not_asked_for_does_not_make_an_old_answer_new():
    (first, *_) = child_reads()["microsoft.storage/storageaccounts"]
    old, spared = Told([{"id": "a"}], "", "2026-01-01T00:00:00Z"), Told([], "", "")
    for order in ([old, spared], [spared, old], [old, old._replace(at="2026-02-01T00:00:00Z"), spared]):
        row = _with_children({"id": "x"}, [(first, told) for told in order])
        assert row["children"][first.child.lower()]["at"] == "2026-01-01T00:00:00Z"
