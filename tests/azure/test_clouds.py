"""Which cloud, and where its tokens may go."""

from pathlib import Path

import pytest

from sovereignmesh.azure import CLOUDS, Cloud, connect, find_cloud
from sovereignmesh.errors import AnswerError, AzureError

LOCAL = """\
name: local
resource_manager: https://management.local.contoso.com
audience: https://management.contoso.onmicrosoft.com/1234
authority: https://login.contoso.com
"""
EMPTY = {"value": []}


def written(folder, text):
    path = folder / "cloud.yaml"
    path.write_text(text)
    return path


@pytest.mark.parametrize("name", ["public", "PUBLIC", "Public", Path("public")])
def test_a_name_is_known_without_case(name):
    assert find_cloud(name) is CLOUDS["public"]


def test_there_are_three_clouds():
    assert list(CLOUDS) == ["public", "usgovernment", "china"]


@pytest.mark.parametrize(
    ("name", "scope", "host"),
    [
        ("public", "https://management.azure.com/.default", "management.azure.com"),
        ("usgovernment", "https://management.core.usgovcloudapi.net/.default", "management.usgovcloudapi.net"),
        ("china", "https://management.chinacloudapi.cn/.default", "management.chinacloudapi.cn"),
    ],
)
def test_each_cloud_has_its_own_scope_and_host(name, scope, host, service, credential):
    assert (find_cloud(name).scope, find_cloud(name).host) == (scope, host)
    service.says(f"https://{host}/subscriptions", EMPTY)
    with connect(credential, name) as azure:
        assert list(azure.items("/subscriptions", "2022-12-01")) == []
    assert credential.asked == [((scope,), {})]
    assert service.urls == [f"https://{host}/subscriptions?api-version=2022-12-01"]


def test_a_cloud_is_itself():
    cloud = Cloud("mine", "https://a.example", "https://b.example/", "https://c.example")
    assert find_cloud(cloud) is cloud
    assert cloud.scope == "https://b.example/.default"
    assert cloud.purview == ""


@pytest.mark.parametrize("as_what", [str, Path])
def test_a_file_describes_a_cloud(tmp_path, as_what):
    path = written(tmp_path, LOCAL + "purview: purview.contoso.com\n")
    assert find_cloud(as_what(path)) == Cloud(
        "local",
        "https://management.local.contoso.com",
        "https://management.contoso.onmicrosoft.com/1234",
        "https://login.contoso.com",
        "purview.contoso.com",
    )


@pytest.mark.parametrize("line", ["", "purview:\n", "purview: ''\n"])
def test_a_file_may_do_without_purview(tmp_path, line):
    assert find_cloud(written(tmp_path, LOCAL + line)).purview == ""


@pytest.mark.parametrize("field", ["name", "resource_manager", "audience", "authority"])
@pytest.mark.parametrize("value", [None, "", " ", "null", "5", "[https://a.example]"])
def test_a_field_that_is_missing_is_named(tmp_path, field, value):
    lines = [line for line in LOCAL.splitlines() if not line.startswith(field)]
    lines += [] if value is None else [f"{field}: {value}"]
    with pytest.raises(AzureError, match=rf"cloud\.yaml: `{field}` is missing"):
        find_cloud(written(tmp_path, "\n".join(lines)))


@pytest.mark.parametrize("field", ["resource_manager", "audience", "authority"])
@pytest.mark.parametrize(
    "value",
    [
        "http://management.contoso.com",
        "management.contoso.com",
        "https://",
        "ftp://a.example",
        "https://a@b.example",
        '"https://{a}.example"',
        '"https://[a"',
    ],
)
def test_only_https_is_taken(tmp_path, field, value):
    text = "\n".join(f"{field}: {value}" if line.startswith(field) else line for line in LOCAL.splitlines())
    with pytest.raises(AzureError, match=f"`{field}` must be an https address"):
        find_cloud(written(tmp_path, text))


def test_a_field_that_means_nothing_is_named(tmp_path):
    with pytest.raises(AzureError, match="portal means nothing here"):
        find_cloud(written(tmp_path, LOCAL + "portal: https://portal.contoso.com\n"))


@pytest.mark.parametrize("text", ["", "- public\n", "public\n"])
def test_a_file_must_hold_fields(tmp_path, text):
    with pytest.raises(AzureError, match="must hold name, resource_manager"):
        find_cloud(written(tmp_path, text))


def test_a_file_that_is_no_yaml_is_located(tmp_path):
    with pytest.raises(AzureError, match=r"cloud\.yaml:2:"):
        find_cloud(written(tmp_path, "name: local\nname: other\n"))


@pytest.mark.parametrize("name", ["azure", "", "no/such/file.yaml"])
def test_what_is_no_cloud_is_refused_with_what_there_is(name):
    with pytest.raises(AzureError, match="public, usgovernment, china"):
        find_cloud(name)


def test_a_folder_is_no_cloud(tmp_path):
    with pytest.raises(AzureError, match="no cloud"):
        find_cloud(tmp_path)


@pytest.mark.parametrize("endpoint", ["https://ARM.contoso.com:30024", "https://arm.contoso.com:30024/"])
def test_an_endpoint_may_have_a_port_and_a_slash(endpoint, service, credential):
    cloud = Cloud("local", endpoint, "https://arm.contoso.com/", "https://login.contoso.com")
    base = endpoint.rstrip("/")
    service.says(f"{base}/subscriptions", {"value": [], "nextLink": "https://arm.contoso.com:30024/more"})
    service.says("https://arm.contoso.com:30024/more", {"value": [], "nextLink": "https://arm.contoso.com/more"})
    with connect(credential, cloud) as azure, pytest.raises(AnswerError, match=r"not to arm\.contoso\.com:30024"):
        list(azure.items("/subscriptions", "2022-12-01"))
    assert [url.partition("?")[0].lower() for url in service.urls] == [
        "https://arm.contoso.com:30024/subscriptions",
        "https://arm.contoso.com:30024/more",
    ]


def test_an_endpoint_may_be_a_path_of_a_proxy(service, credential):
    cloud = Cloud(
        "proxy", "https://proxy.contoso.com/azure/", "https://management.azure.com", "https://login.contoso.com"
    )
    service.says("https://proxy.contoso.com/azure/subscriptions", EMPTY)
    with connect(credential, cloud) as azure:
        assert list(azure.items("/subscriptions", "2022-12-01")) == []
    assert len(service.urls) == 1


@pytest.mark.parametrize(
    ("endpoint", "link"),
    [
        ("https://management.azure.com", "https://management.azure.com:443/more"),
        ("https://management.azure.com:443", "https://management.azure.com/more"),
        ("https://management.azure.com", "https://MANAGEMENT.azure.com/more"),
    ],
)
def test_the_port_of_https_is_no_other_host(service, credential, endpoint, link):
    cloud = Cloud("c", endpoint, "https://management.azure.com", "https://login.microsoftonline.com")
    service.says(f"{endpoint}/subscriptions", {"value": [{"a": 1}], "nextLink": link})
    service.says(link, {"value": [{"a": 2}]})
    with connect(credential, cloud) as azure:
        assert list(azure.items("/subscriptions", "2022-12-01")) == [{"a": 1}, {"a": 2}]
