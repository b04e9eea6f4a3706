"""What comes out of the connection: JSON, or an exception that says what went wrong and holds no token."""

import base64
import datetime as dt
import json
import stat
import sys
import threading
from email.utils import format_datetime
from types import SimpleNamespace

import pytest
import requests
from azure.core.credentials import AccessToken
from azure.core.exceptions import ClientAuthenticationError
from azure.identity import CredentialUnavailableError, DefaultAzureCredential
from clock import pace_of
from requests.adapters import HTTPAdapter

import sovereignmesh
from sovereignmesh.azure import Pace, connect
from sovereignmesh.azure.connection import CONNECTIONS
from sovereignmesh.azure.policies import _ATTEMPTS as ATTEMPTS
from sovereignmesh.errors import (
    AnswerError,
    AzureError,
    DeadlineError,
    DeniedError,
    NotFoundError,
    RejectedError,
    SignInError,
    ThrottledError,
    UnreachableError,
)

PATH = "/subscriptions"
VERSION = "2022-12-01"
WAITS = [2**attempt / 2 for attempt in range(ATTEMPTS - 1)]  # without jitter
CLASSES = {400: RejectedError, 401: SignInError, 403: DeniedError, 404: NotFoundError, 409: RejectedError,
           429: ThrottledError, 500: UnreachableError, 502: UnreachableError, 503: UnreachableError,
           504: UnreachableError}  # fmt: skip


def refused(azure, path=PATH):
    """The exception that a GET raises, in which no token may be."""
    with pytest.raises(AzureError) as caught:
        azure.get(path, VERSION)
    error = caught.value
    while error is not None:
        assert "secret-token" not in f"{error} {error!r}"
        error = error.__cause__ or error.__context__
    return caught.value


def shape_of(body):
    if isinstance(body, dict):
        return {key: shape_of(value) for key, value in sorted(body.items())}
    return [shape_of(item) for item in body] if isinstance(body, list) else type(body).__name__


def said(body):
    """The code and the message of an error's body, however it spells them."""
    inner = body["error"] if isinstance(body.get("error"), dict) else body
    fields = {key.lower(): value for key, value in inner.items()}
    message = fields.get("message", fields.get("title"))
    message = (
        next(text for key, text in message.items() if key.lower() == "value") if type(message) is dict else message
    )
    codes = [fields.get("code", fields.get("errorcode", ""))]
    if codes == ["BadRequest"]:  # the details say it better
        codes += [detail["code"] for detail in fields.get("details") or () if "code" in detail]
    return [str(code) for code in codes], " ".join((message or "").split())


# Every shape of error.


def test_each_recorded_error_is_told_in_its_class(recordings, new_credential, clock, service):
    """Whatever the shape of the body."""
    records = recordings("arm_errors.jsonl")
    shapes = {}
    for record in records:
        shapes.setdefault(json.dumps([record["status"], shape_of(record["response"])]), record)
    assert len(shapes) > 30
    for number, record in enumerate(records):
        headers = {key: value for key, value in record["headers"].items() if key.lower().startswith("x-ms-")}
        service.says(f"/{number}", (record["status"], record["response"], headers))
        with connect(new_credential(), pace=pace_of(clock)) as azure:
            error = refused(azure, f"/{number}")
        codes, message = said(record["response"])
        assert type(error) is CLASSES[record["status"]], record["response"]
        assert error.status == record["status"]
        assert error.code in codes, record["response"]
        assert error.code or codes == [""]
        assert message[:500] in str(error), record["response"]
        assert f"/{number}: {record['status']}" in str(error)
        lowered = {key.lower(): value for key, value in headers.items()}
        assert error.request_id == lowered.get("x-ms-request-id", lowered.get("x-ms-correlation-request-id", ""))


def test_each_recorded_throttling_is_waited_for_and_told(recordings, new_credential, clock, service):
    records = recordings("throttle.jsonl")
    assert len(records) >= 20
    for number, record in enumerate(records):
        wait = {key: value for key, value in record["headers"].items() if key.lower() == "retry-after"}
        service.says(f"/{number}", (429, record["response"], wait))
        clock.slept.clear()
        with connect(new_credential(), pace=pace_of(clock)) as azure:
            error = refused(azure, f"/{number}")
        codes, message = said(record["response"])
        assert type(error) is ThrottledError
        assert error.code in codes
        assert message[:500] in str(error)
        assert clock.slept == ([float(next(iter(wait.values())))] * (ATTEMPTS - 1) if wait else WAITS)


@pytest.mark.parametrize(
    "body",
    [
        b"", b"null", b"[]", b"7", b'"no"', b"\xff\xfe", b"<html>no</html>", b'{"error": null}', b'{"error": "no"}',
        b'{"error": []}', b'{"error": {"code": null, "message": 7}}', b'{"error": {"message": ["a"]}}',
        b'{"error": {"message": {"a": 1}}}', b'{"error": {"message": {"value": null}}}',
        b'{"error": {"code": {}, "details": {"a": 1}}}', b'{"error": {"details": [null, 7, {"code": 1}]}}',
        b'{"error": {"details": [{"code": "X", "message": null}]}}',
    ],
)  # fmt: skip
@pytest.mark.parametrize("status", [400, 403, 418])
def test_an_error_of_any_shape_is_an_error_of_ours(azure, service, status, body):
    service.says(PATH, (status, body))
    error = refused(azure)
    assert type(error) is CLASSES.get(status, RejectedError)
    assert error.status == status


def test_a_long_message_is_cut(azure, service):
    service.says(PATH, (400, {"error": {"code": "Long", "message": "word " * 10_000}}))
    assert len(str(refused(azure))) < 800


def test_a_message_is_one_paragraph(azure, service):
    service.says(PATH, (400, {"error": {"code": "Lines", "message": "one\r\n\ttwo"}}))
    assert str(refused(azure)) == "/subscriptions: 400 Lines: one two"


def test_what_is_read_comes_out_as_json(azure, service, credential):
    service.says(PATH, {"a": [1, None, "ü"]})
    assert azure.get(PATH, VERSION, **{"$filter": "a eq 'b'"}) == {"a": [1, None, "ü"]}
    (request,) = service.requests
    assert request.url == "https://management.azure.com/subscriptions?api-version=2022-12-01&$filter=a+eq+%27b%27"
    assert request.headers["Authorization"] == "Bearer secret-token-1"
    assert request.headers["Accept"] == "application/json"
    assert request.headers["x-ms-client-request-id"]
    assert request.headers["User-Agent"].startswith(f"sovereignmesh/{sovereignmesh.__version__} ")
    assert request.body is None


def test_each_request_has_an_id_of_its_own(azure, service):
    service.says(PATH, {})
    azure.get(PATH, VERSION)
    azure.get(PATH, VERSION)
    assert len({request.headers["x-ms-client-request-id"] for request in service.requests}) == 2


def test_no_content_is_none(azure, service):
    service.says(PATH, (204, b""))
    assert azure.get(PATH, VERSION) is None


def test_a_token_is_asked_for_once(azure, service, credential):
    service.says(PATH, {})
    for _ in range(3):
        azure.get(PATH, VERSION)
    assert len(credential.asked) == 1


# Signing in.


@pytest.mark.parametrize("kind", [ClientAuthenticationError, CredentialUnavailableError])
def test_a_credential_that_fails_is_asked_once(new_credential, clock, pace, service, kind):
    credential = new_credential(kind(message="no sign-in here\nand a second line"))
    with connect(credential, pace=pace) as azure:
        error = refused(azure)
    assert type(error) is SignInError
    assert "sign in with `az login`" in str(error)
    assert "no sign-in here" in str(error)
    assert "second line" not in str(error)
    assert len(credential.asked) == 1
    assert clock.slept == []
    assert service.requests == []


def test_a_token_that_is_not_accepted_is_replaced_once(azure, service, credential, clock):
    service.says(PATH, (401, {"error": {"code": "ExpiredAuthenticationToken", "message": "expired"}}), {"a": 1})
    assert azure.get(PATH, VERSION) == {"a": 1}
    assert [request.headers["Authorization"] for request in service.requests] == [
        "Bearer secret-token-1",
        "Bearer secret-token-2",
    ]
    assert len(credential.asked) == 2
    assert clock.slept == []


def test_tokens_that_are_never_accepted_are_a_sign_in_error(azure, service, credential):
    service.says(PATH, (401, {"error": {"code": "InvalidAuthenticationToken", "message": "not yours"}}))
    error = refused(azure)
    assert type(error) is SignInError
    assert (error.status, error.code) == (401, "InvalidAuthenticationToken")
    assert "not yours" in str(error)
    assert "az login" in str(error)
    assert len(service.requests) == len(credential.asked) == 2


def test_a_challenge_with_claims_is_answered(azure, service, credential):
    claims = base64.urlsafe_b64encode(b'{"access_token": {"nbf": 1}}').decode()
    challenge = {"WWW-Authenticate": f'Bearer error="insufficient_claims", claims="{claims}"'}
    service.says(PATH, (401, {"error": {"code": "x", "message": "y"}}, challenge), {"a": 1})
    assert azure.get(PATH, VERSION) == {"a": 1}
    assert [options.get("claims") for _, options in credential.asked] == [None, '{"access_token": {"nbf": 1}}']


def test_a_credential_that_fails_later_is_a_sign_in_error(azure, service, credential):
    def dropped(request):
        credential.error = ClientAuthenticationError(message="signed out")
        return 401, {"error": {"code": "x", "message": "y"}}

    service.says(PATH, dropped)
    error = refused(azure)
    assert type(error) is SignInError
    assert "signed out" in str(error)
    assert len(credential.asked) == 2


STRANGE_TOKENS = ["secret-token\n1", "secret-token\r\nX-Evil: 1", "secret-token 1", " secret-token", "secret-token\0",
                  "secret-token\x7f", "secret-tökën secret-token", "secret-token\u2028", ""]  # fmt: skip
CLAIMS = base64.urlsafe_b64encode(b'{"access_token": {"nbf": 1}}').decode()


class Giving:
    """A credential that gives what it is told to, one after the other, the last one for ever."""

    def __init__(self, *given):
        self.given, self.asked = list(given), 0

    def get_token(self, *scopes, **options):
        self.asked += 1
        following = self.given.pop(0) if len(self.given) > 1 else self.given[0]
        if isinstance(following, Exception):
            raise following
        return AccessToken(following, 4102444800) if isinstance(following, str) else following


def shown(error):
    """All that a traceback would show of the messages."""
    texts = []
    while error is not None:
        texts.append(f"{error} {error!r} {error.args}")
        error = error.__cause__ or error.__context__
    return "\n".join(texts)


@pytest.mark.parametrize("token", STRANGE_TOKENS)
def test_a_token_that_cannot_stand_in_a_header_is_never_sent_or_shown(pace, service, token, caplog):
    service.says(PATH, {})
    with connect(Giving(token), pace=pace) as azure:
        error = refused(azure)
    assert type(error) is SignInError
    assert str(error) == "the credential gave a token that cannot stand in a header"
    assert "secret" not in shown(error) + caplog.text
    assert service.requests == []


@pytest.mark.parametrize("token", STRANGE_TOKENS)
def test_neither_is_one_that_is_to_meet_a_challenge(pace, service, token, caplog):
    challenge = {"WWW-Authenticate": f'Bearer error="insufficient_claims", claims="{CLAIMS}"'}
    service.says(PATH, (401, {"error": {"code": "x", "message": "y"}}, challenge), {"a": 1})
    with connect(Giving("good", token), pace=pace) as azure:
        error = refused(azure)
    assert type(error) is SignInError
    assert "secret" not in shown(error) + caplog.text
    assert [request.headers["Authorization"] for request in service.requests] == ["Bearer good"]


ODD = [AttributeError("odd"), KeyError("odd"), OSError("odd"), RuntimeError("odd"), TypeError("odd"), ValueError("odd"),
       requests.exceptions.ConnectionError("odd"), UnicodeDecodeError("utf-8", b"", 0, 0, "odd")]  # fmt: skip


@pytest.mark.parametrize("odd", ODD, ids=lambda odd: type(odd).__name__)
def test_a_credential_that_fails_oddly_is_a_sign_in_error(pace, service, clock, odd):
    service.says(PATH, {})
    credential = Giving(odd)
    with connect(credential, pace=pace) as azure:
        error = refused(azure)
    assert type(error) is SignInError
    assert str(error).startswith(f"the credential failed: {type(odd).__name__}: ")
    assert "odd" in str(error)
    assert (credential.asked, clock.slept, service.requests) == (1, [], [])


@pytest.mark.parametrize("odd", ODD, ids=lambda odd: type(odd).__name__)
def test_one_that_fails_oddly_at_a_challenge_is_one_too(pace, service, odd):
    challenge = {"WWW-Authenticate": f'Bearer error="insufficient_claims", claims="{CLAIMS}"'}
    service.says(PATH, (401, {"error": {"code": "x", "message": "y"}}, challenge), {"a": 1})
    with connect(Giving("good", odd), pace=pace) as azure:
        assert type(refused(azure)) is SignInError


@pytest.mark.parametrize("given", [None, 7, b"token", SimpleNamespace(token=None), SimpleNamespace(token=7)])
def test_what_is_no_token_is_a_sign_in_error(pace, service, given):
    service.says(PATH, {})
    with connect(Giving(given), pace=pace) as azure:
        for _ in range(2):
            assert type(refused(azure)) is SignInError
    assert service.requests == []


def test_a_token_that_does_not_say_how_long_it_lasts_ends_in_no_crash(pace, service):
    service.says(PATH, {})
    with connect(Giving(SimpleNamespace(token="good")), pace=pace) as azure:
        azure.get(PATH, VERSION)
        assert type(refused(azure)) is SignInError


@pytest.mark.parametrize("claims", ["A", "AAAAA", "gICA", "größe", "", "===="])
@pytest.mark.parametrize("scheme", ["Bearer", "Basic"])
def test_a_challenge_that_makes_no_sense_is_not_met(azure, service, credential, claims, scheme):
    challenge = {"WWW-Authenticate": f'{scheme} error="insufficient_claims", claims="{claims}"'}
    service.says(PATH, (401, {"error": {"code": "x", "message": "y"}}, challenge), {"a": 1})
    assert azure.get(PATH, VERSION) == {"a": 1}
    assert [options.get("claims") for _, options in credential.asked] == [None, None]


@pytest.mark.parametrize(
    "header",
    ["", "Bearer", "Bearer error", 'Bearer error="', "=,=,=", "Bearer error=insufficient_claims"],
)
def test_a_challenge_that_is_none_is_not_met(azure, service, header):
    service.says(PATH, (401, {"error": {"code": "x", "message": "y"}}, {"WWW-Authenticate": header}))
    error = refused(azure)
    assert type(error) is SignInError
    assert (error.status, len(service.requests)) == (401, 2)


def in_threads(count, job):
    """Runs the job in many threads that begin at once and take turns as often as they can; what they raised."""
    together, raised = threading.Barrier(count), []

    def body():
        together.wait()
        try:
            job()
        except BaseException as error:  # noqa: BLE001 - looked at below
            raised.append(error)

    threads = [threading.Thread(target=body, daemon=True) for _ in range(count)]
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
    finally:
        sys.setswitchinterval(interval)
    assert not any(thread.is_alive() for thread in threads)
    return raised


class Rejecting(HTTPAdapter):
    """An adapter at which no token is good."""

    def __init__(self, *, claims=False):
        super().__init__()
        self.claims = claims

    def send(self, request, **options):
        answer = requests.Response()
        answer.status_code, answer.request, answer.url = 401, request, request.url
        if self.claims:
            answer.headers["WWW-Authenticate"] = f'Bearer error="insufficient_claims", claims="{CLAIMS}"'
        answer.raw = requests.packages.urllib3.HTTPResponse()
        answer._content, answer._content_consumed = b"{}", True
        return answer


@pytest.mark.parametrize("claims", [False, True])
def test_tokens_that_are_refused_in_many_threads_crash_none(new_credential, pace, claims):
    session = requests.Session()
    session.mount("https://", Rejecting(claims=claims))

    with connect(new_credential(), session=session, pace=pace) as azure:

        def ask():
            for _ in range(20):
                with pytest.raises(SignInError) as caught:
                    azure.get(PATH, VERSION)
                assert caught.value.status == 401, caught.value  # and nothing that the credential did

        assert in_threads(12, ask) == []


def test_many_threads_ask_for_one_token(service, pace):
    """And each waits for it, not for the others' answers."""
    service.says(PATH, {})
    at_work, most = [], []

    class Slow(Giving):
        def get_token(self, *scopes, **options):
            at_work.append(1)
            most.append(len(at_work))
            threading.Event().wait(0.05)
            at_work.pop()
            return super().get_token(*scopes, **options)

    credential = Slow("good")
    with connect(credential, pace=pace) as azure:
        assert in_threads(12, lambda: azure.get(PATH, VERSION)) == []
    assert (credential.asked, max(most)) == (1, 1)
    assert len(service.requests) == 12


# The network.


def test_a_few_is_less_than_a_minute_of_waits():
    assert ATTEMPTS >= 2
    assert 2 * sum(WAITS) < 60


@pytest.mark.parametrize(
    "failure",
    [
        requests.exceptions.ConnectionError("refused"),
        requests.exceptions.ConnectionError(ConnectionResetError(104, "reset by peer")),
        requests.exceptions.ConnectTimeout("too slow"),
        requests.exceptions.ReadTimeout("too slow"),
        requests.exceptions.SSLError("certificate verify failed: self-signed certificate"),
        requests.exceptions.ProxyError("Cannot connect to proxy"),
        requests.exceptions.ChunkedEncodingError("Connection broken: IncompleteRead(5 bytes read)"),
        requests.exceptions.ChunkedEncodingError("Connection broken: reset"),
        requests.exceptions.ContentDecodingError("not gzip"),
    ],
    ids=lambda failure: f"{type(failure).__name__} {failure}",
)
def test_a_connection_that_fails_is_tried_again_a_few_times(azure, service, clock, failure):
    service.says(PATH, failure)
    error = refused(azure)
    assert type(error) is UnreachableError
    assert str(error).startswith("/subscriptions: ")
    assert str(failure).splitlines()[0][:20] in str(error)
    assert (error.status, error.code) == (0, "")
    assert len(service.requests) == ATTEMPTS
    assert clock.slept == WAITS


def test_a_connection_that_comes_back_is_no_error(azure, service):
    reset = requests.exceptions.ConnectionError(ConnectionResetError(104, "reset by peer"))
    service.says(PATH, reset, (503, b""), (500, {}), {"a": 1})
    assert azure.get(PATH, VERSION) == {"a": 1}


@pytest.mark.parametrize("status", [408, 500, 502, 503, 504])
def test_server_errors_are_tried_again(azure, service, clock, status):
    service.says(PATH, (status, {"error": {"code": "Down", "message": "down"}}))
    error = refused(azure)
    assert type(error) is (UnreachableError if status >= 500 else RejectedError)
    assert error.status == status
    assert len(service.requests) == ATTEMPTS
    assert clock.slept == WAITS


@pytest.mark.parametrize("status", [400, 403, 404, 409, 410, 501])
def test_what_would_be_refused_again_is_asked_once(azure, service, clock, status):
    service.says(PATH, (status, {"error": {"code": "No", "message": "no"}}))
    assert refused(azure).status == status
    assert len(service.requests) == 1
    assert clock.slept == []


def test_a_write_is_not_tried_again(azure, service):
    service.says("/providers/Contoso.Any/do", (503, b""), method="POST")
    with pytest.raises(UnreachableError):
        azure.send("POST", "/providers/Contoso.Any/do", VERSION, {})
    assert len(service.requests) == 1


def test_a_conflict_registers_no_provider(azure, service):
    """Azure's own clients would POST to .../register."""
    body = {"error": {"code": "MissingSubscriptionRegistration", "message": "The subscription is not registered"}}
    subscription = "/subscriptions/00000000-0000-0000-0000-000000000000"
    service.says(f"{subscription}/providers/Microsoft.Sql/servers", (409, body))
    service.says(f"{subscription}/providers/Microsoft.Sql/register", {"registrationState": "Registered"}, method="POST")
    error = refused(azure, f"{subscription}/providers/Microsoft.Sql/servers")
    assert type(error) is RejectedError
    assert error.code == "MissingSubscriptionRegistration"
    assert [request.method for request in service.requests] == ["GET"]


def test_a_write_that_the_deadline_cut_off_is_no_fault_of_the_network(azure, service, clock):
    def slow(request):
        clock.now += 11
        return requests.exceptions.ReadTimeout("too slow")

    azure.begin(10)
    service.says("/providers/Contoso.Any/do", slow, method="POST")
    with pytest.raises(DeadlineError):
        azure.send("POST", "/providers/Contoso.Any/do", VERSION, {})


# Waits that the service names.


def test_the_wait_that_the_service_names_is_kept(azure, service, clock):
    service.says(PATH, (429, b"", {"Retry-After": "17"}), (503, b"", {"Retry-After": "9"}), {"a": 1})
    assert azure.get(PATH, VERSION) == {"a": 1}
    assert clock.slept == [17.0, 9.0]


def test_a_tenth_is_added_by_luck(service, credential, clock):
    service.says(PATH, (429, b"", {"Retry-After": "100"}), (503, b""), {})
    with connect(credential, pace=Pace(clock=clock, sleep=clock.sleep, jitter=lambda: 0.5)) as azure:
        azure.get(PATH, VERSION)
    assert clock.slept == [pytest.approx(105.0), 1.5]


@pytest.mark.parametrize("seconds", ["121", "86400", "1" + "0" * 400])
@pytest.mark.parametrize("status", [429, 503])
def test_a_wait_that_is_too_long_is_a_refusal(azure, service, clock, seconds, status):
    service.says(PATH, (status, {"error": {"code": "No", "message": "no"}}, {"Retry-After": seconds}))
    error = refused(azure)
    assert type(error) is (ThrottledError if status == 429 else UnreachableError)
    assert clock.slept == []
    assert len(service.requests) == 1
    if status == 429:
        assert f"the service asks to wait {seconds[:20]} s" in str(error)
        assert len(str(error)) < 200


def test_the_longest_wait_is_kept(azure, service, clock):
    service.says(PATH, (429, b"", {"Retry-After": "120"}), {})
    azure.get(PATH, VERSION)
    assert clock.slept == [120.0]


def test_the_reset_of_the_quota_is_waited_for_where_there_is_no_other_word(azure, service, clock):
    reset = {"x-ms-user-quota-remaining": "0", "x-ms-user-quota-resets-after": "00:00:04"}
    service.says(PATH, (429, b"", reset), (429, b"", {**reset, "Retry-After": "3"}), {})
    azure.get(PATH, VERSION)
    assert clock.slept == [4.0, 3.0]


@pytest.mark.parametrize("word", ["soon", "", "-5", "\xb2", "1:2", "nan", "inf", "GMT", "Wed, 32 Oct 2026 07:28:00 GMT",
                                  "Wed, 21 Oct 2026 07:28:00", "Wed, 21 Oct 99999999999 07:28:00 GMT",
                                  "Wed, 21 Oct 2026 99999999999999:28:00 GMT",
                                  "Wed, 21 Oct 2026 07:28:00 +99999999999999"])  # fmt: skip
def test_a_wait_that_is_none_is_ours(azure, service, clock, word):
    service.says(PATH, (429, b"", {"Retry-After": word}), {})
    azure.get(PATH, VERSION)
    assert clock.slept == WAITS[:1]


def in_seconds(seconds, zone=dt.UTC):
    """A date, of which headers have whole seconds only."""
    return format_datetime(dt.datetime.now(zone) + dt.timedelta(seconds=seconds), usegmt=zone is dt.UTC)


@pytest.mark.parametrize("zone", [dt.UTC, dt.timezone(dt.timedelta(hours=9))])
@pytest.mark.parametrize("status", [429, 503])
def test_a_date_is_waited_for(azure, service, clock, status, zone):
    service.says(PATH, (status, b"", {"Retry-After": in_seconds(90, zone)}), {})
    azure.get(PATH, VERSION)
    (waited,) = clock.slept
    assert 30 < waited <= 90


@pytest.mark.parametrize("seconds", [-3600, -350_000_000])
def test_a_date_that_is_past_is_not_waited_for(azure, service, clock, seconds):
    service.says(PATH, (429, b"", {"Retry-After": in_seconds(seconds)}), {})
    azure.get(PATH, VERSION)
    assert clock.slept == [0.0]


def test_a_date_that_is_far_is_a_refusal(azure, service, clock):
    service.says(PATH, (429, b"", {"Retry-After": in_seconds(7200)}), {})
    assert type(refused(azure)) is ThrottledError
    assert clock.slept == []


@pytest.mark.parametrize("name", ["retry-after-ms", "x-ms-retry-after-ms", "Retry-After-Ms"])
def test_milliseconds_come_before_seconds(azure, service, clock, name):
    service.says(
        PATH, (429, b"", {name: "1500", "Retry-After": "9"}), (503, b"", {name: "soon", "Retry-After": "9"}), {}
    )
    azure.get(PATH, VERSION)
    assert clock.slept == [1.5, 9.0]


def test_milliseconds_that_are_too_many_are_a_refusal(azure, service, clock):
    service.says(PATH, (429, b"", {"retry-after-ms": "120001"}), {})
    assert type(refused(azure)) is ThrottledError
    assert clock.slept == []


@pytest.mark.parametrize(
    ("last", "word"),
    [
        ((429, b"", {"Retry-After": "11"}), "an answer with status 429"),
        ((503, b"", {"Retry-After": "11"}), "an answer with status 503"),
    ],
)
def test_a_wait_beyond_the_deadline_is_not_begun(azure, service, clock, last, word):
    azure.begin(10)
    service.says(PATH, last, {})
    with pytest.raises(DeadlineError, match=f"deadline was up; last came: {word}"):
        azure.get(PATH, VERSION)
    assert clock.slept == []


def test_nothing_is_sent_after_the_deadline(azure, service, clock):
    azure.begin(10)
    clock.now += 10
    service.says(PATH, {})
    with pytest.raises(DeadlineError):
        azure.get(PATH, VERSION)
    assert service.requests == []
    azure.begin(None)
    assert azure.get(PATH, VERSION) == {}


def test_what_the_deadline_cuts_off_is_no_fault_of_the_network(azure, service, clock):
    def slow(request):
        clock.now += 11
        return requests.exceptions.ReadTimeout("too slow")

    azure.begin(10)
    service.says(PATH, slow)
    with pytest.raises(DeadlineError, match=r"last came: .*too slow"):
        azure.get(PATH, VERSION)
    assert len(service.requests) == 1


def test_a_run_that_begins_ends_the_last_one_and_not_the_connection(azure, service, clock):
    last = azure.pace
    azure.begin(10)
    assert last.stopped
    assert not azure.pace.stopped
    assert azure.pace.left(90.0) == 10.0
    service.says(PATH, (503, b"", {"Retry-After": "4"}), {"a": 1})
    assert azure.get(PATH, VERSION) == {"a": 1}
    assert clock.slept == [4.0]
    azure.begin()
    assert azure.pace.left(90.0) == 90.0


def test_a_request_takes_no_longer_than_the_deadline(credential, pace, sent):
    with connect(credential, session=sent.session, pace=pace) as azure:
        azure.get(PATH, VERSION)
        azure.begin(30)
        azure.get(PATH, VERSION)
    assert [options["timeout"] for options in sent.options] == [(20.0, 90.0), (20.0, 30.0)]


# Answers that are none.


PAGE = b"<!DOCTYPE html><title>Sign in</title>"


@pytest.mark.parametrize(
    ("body", "kind"),
    [(PAGE, "text/html; charset=utf-8"), (b'{"value": [', "application/json"), (b"ok", None), (b"\xff", "text/plain")],
)
def test_what_is_no_json_is_asked_for_again_and_refused(azure, service, clock, body, kind):
    service.says(PATH, (200, body, {"Content-Type": kind}))
    error = refused(azure)
    assert type(error) is AnswerError
    assert (kind or "no content type").partition(";")[0] in str(error)
    assert "<title>" not in str(error)
    assert len(service.requests) == 3
    assert clock.slept == WAITS[:2]


def test_what_is_json_in_the_end_is_an_answer(azure, service):
    service.says(PATH, (200, PAGE), (200, b'{"a"'), {"a": 1})
    assert azure.get(PATH, VERSION) == {"a": 1}


def test_a_body_that_ends_too_soon_is_no_answer(azure, service, clock):
    service.says(PATH, (200, b'{"value": []}', {"Content-Length": "5000"}))
    error = refused(azure)
    assert type(error) in (AnswerError, UnreachableError)
    assert len(service.requests) == ATTEMPTS
    assert clock.slept == WAITS


def test_a_body_that_ends_too_soon_once_is_asked_for_again(azure, service):
    service.says(PATH, (200, b'{"value": []}', {"Content-Length": "5000"}), {"value": [1]})
    assert azure.get(PATH, VERSION) == {"value": [1]}


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("to", ["https://login.example.com/", "https://management.azure.com/other"])
def test_a_redirect_is_not_followed(azure, service, status, to):
    service.says(PATH, (status, b"", {"Location": to}))
    service.says(to, {"value": []})
    error = refused(azure)
    assert type(error) is AnswerError
    assert error.status == status
    assert "a redirect, which is not followed" in str(error)
    assert service.urls == [f"https://management.azure.com{PATH}?api-version={VERSION}"]


# Lists.


def test_a_list_is_read_over_all_its_pages(azure, service):
    base = "https://management.azure.com"
    service.says(PATH, {"value": [{"n": 1}], "nextLink": f"{base}/page?$skiptoken=a%2Bb&api-version=2022-12-01"})
    service.says("/page", {"value": [], "nextLink": f"{base}/last"})
    service.says("/last", {"value": [{"n": 2}, {"n": 3}], "nextLink": None})
    assert list(azure.items(PATH, VERSION)) == [{"n": 1}, {"n": 2}, {"n": 3}]
    assert service.urls == [
        f"{base}{PATH}?api-version={VERSION}",
        f"{base}/page?$skiptoken=a%2Bb&api-version=2022-12-01",
        f"{base}/last",
    ]


def test_a_page_is_asked_for_when_it_is_wanted(azure, service):
    service.says(PATH, {"value": [{"n": 1}], "nextLink": "https://management.azure.com/page"})
    assert next(azure.items(PATH, VERSION)) == {"n": 1}
    assert len(service.requests) == 1


@pytest.mark.parametrize(
    "link",
    [
        "https://evil.example/page",
        "https://management.azure.com.evil.example/page",
        "https://management.azure.com@evil.example/page",
        "https://evil.example:443/page",
        "https://management.azure.com:8443/page",
        "https://user@management.azure.com/page",
        "http://management.azure.com/page",
        "https://management.azure.com\\@evil.example/page",
        "https://management.azure.com\t.evil.example/page",
        "HTTPS://EVIL.example/page",
        " https://evil.example/page",
    ],
)
def test_a_link_to_another_host_gets_no_token(credential, pace, sent, link):
    sent.answers = [{"value": [{"n": 1}], "nextLink": link}, {"value": []}]
    with connect(credential, session=sent.session, pace=pace) as azure:
        items = azure.items(PATH, VERSION)
        assert next(items) == {"n": 1}
        with pytest.raises(AnswerError, match="not followed"):
            next(items)
    assert [request.url for request in sent.requests] == [f"https://management.azure.com{PATH}?api-version={VERSION}"]


@pytest.mark.parametrize("link", ["//evil.example/page", "/page", "page"])
def test_a_link_without_a_host_stays_at_the_cloud_s(credential, pace, sent, link):
    sent.answers = [{"value": [], "nextLink": link}, {"value": []}]
    with connect(credential, session=sent.session, pace=pace) as azure:
        assert list(azure.items(PATH, VERSION)) == []
    assert {request.url.split("/")[2] for request in sent.requests} == {"management.azure.com"}


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("path", ["https://evil.example/", "http://management.azure.com/"])
def test_no_address_but_the_cloud_s_gets_a_token(azure, service, credential, method, path):
    with pytest.raises(AnswerError):
        azure.send(method, path, VERSION)
    assert service.requests == []
    assert credential.asked == []


@pytest.mark.parametrize("path", ["/page", PATH])
def test_a_link_that_comes_again_is_refused(azure, service, path):
    link = f"https://management.azure.com{path}"
    service.says(PATH, {"value": [{"n": 1}], "nextLink": link})
    service.says("/page", {"value": [{"n": 2}], "nextLink": link})
    with pytest.raises(AnswerError, match="followed already"):
        list(azure.items(PATH, VERSION))
    assert len(service.requests) == 2


@pytest.mark.parametrize("link", [7, True, ["a"], {"a": 1}])
def test_a_link_that_is_no_text_is_refused(azure, service, link):
    service.says(PATH, {"value": [], "nextLink": link})
    with pytest.raises(AnswerError):
        list(azure.items(PATH, VERSION))


@pytest.mark.parametrize("strange", ["strange", None, 7, [], [{"n": 3}], True])
def test_an_item_that_is_no_object_is_refused(azure, service, strange):
    service.says(PATH, {"value": [{"n": 1}], "nextLink": "https://management.azure.com/page"})
    service.says("/page", {"value": [{"n": 2}, strange]})
    items = azure.items(PATH, VERSION)
    assert next(items) == {"n": 1}
    with pytest.raises(AnswerError, match="items that are none"):
        next(items)


def test_links_without_an_end_are_refused(azure, service, monkeypatch):
    monkeypatch.setattr("sovereignmesh.azure.channel._LONGEST_LIST", 20)
    numbers = iter(range(100))
    endless = lambda request: {"value": [], "nextLink": f"https://management.azure.com/page?n={next(numbers)}"}  # noqa: E731
    service.says(PATH, endless)
    service.says("/page", endless)
    with pytest.raises(AnswerError, match="the link to the next page"):
        list(azure.items(PATH, VERSION))
    assert len(service.requests) == 21


@pytest.mark.parametrize("query", ["$skiptoken={0}", "$skiptoken={a.b}", "f={{x}}", "f={", "f=}", "f={subscriptionId}"])
def test_a_link_with_braces_is_no_template(azure, service, query):
    base = "https://management.azure.com"
    service.says(PATH, {"value": [{"n": 1}], "nextLink": f"{base}/page?{query}"})
    service.says("/page", {"value": [{"n": 2}]})
    assert list(azure.items(PATH, VERSION)) == [{"n": 1}, {"n": 2}]
    assert service.urls[1] == f"{base}/page?{query.replace('{', '%7B').replace('}', '%7D')}"


@pytest.mark.parametrize(
    "link", ["https://[", "https://[::1/page", "https://management.azure.com]/page", "//[", "https://[x]/",
             "https://management.azure.com\u2100/page"],
)  # fmt: skip
def test_a_link_that_is_no_address_is_refused(azure, service, credential, link):
    service.says(PATH, {"value": [{"n": 1}], "nextLink": link})
    items = azure.items(PATH, VERSION)
    assert next(items) == {"n": 1}
    with pytest.raises(AnswerError, match="an answer links to"):
        next(items)
    assert len(service.requests) == 1


@pytest.mark.parametrize("link", ["https://management.azure.com:port/page", "https://management.azure.com:99999/page",
                                  "https://", "mailto:a@b.example", "file:///etc/passwd"])  # fmt: skip
def test_a_link_to_nowhere_is_not_followed(azure, service, link):
    service.says(PATH, {"value": [], "nextLink": link})
    with pytest.raises(AzureError):
        list(azure.items(PATH, VERSION))
    assert {url.split("/")[2] for url in service.urls} == {"management.azure.com"}


@pytest.mark.parametrize("body", [{}, {"value": None}, {"value": {}}, {"value": "a"}, [], "a", 7, None, b""])
def test_a_list_without_a_list_is_refused(azure, service, body):
    service.says(PATH, (200, body if isinstance(body, bytes) else json.dumps(body)))
    with pytest.raises(AnswerError, match="a list without `value`"):
        list(azure.items(PATH, VERSION))


def test_a_later_page_without_a_list_is_refused(azure, service):
    service.says(PATH, {"value": [{"n": 1}], "nextLink": "https://management.azure.com/page"})
    service.says("/page", {"error": {"code": "x"}})
    with pytest.raises(AnswerError, match="a list without `value`"):
        list(azure.items(PATH, VERSION))


# The session.


class Recorder(HTTPAdapter):
    """Keeps what a session gives its adapter, and answers."""

    def __init__(self):
        super().__init__()
        self.answers = [{}]
        self.requests, self.options = [], []
        self.session = requests.Session()
        self.session.mount("https://", self)

    def send(self, request, **options):
        self.requests.append(request)
        self.options.append(options)
        answer = requests.Response()
        answer.status_code, answer.request, answer.url = 200, request, request.url
        answer.raw = requests.packages.urllib3.HTTPResponse()
        answer._content = json.dumps(self.answers[min(len(self.requests), len(self.answers)) - 1]).encode()
        answer._content_consumed = True
        return answer


@pytest.fixture
def sent(monkeypatch):
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy", "NO_PROXY", "no_proxy", "REQUESTS_CA_BUNDLE",
                 "CURL_CA_BUNDLE"):  # fmt: skip
        monkeypatch.delenv(name, raising=False)
    return Recorder()


def options_of(sent, credential, pace):
    with connect(credential, session=sent.session, pace=pace.renewed(None)) as azure:
        azure.get(PATH, VERSION)
    return sent.options[-1]


def test_proxy_and_certificates_come_from_the_environment(sent, credential, pace, monkeypatch, tmp_path):
    bundle = tmp_path / "company.pem"
    bundle.write_text("")
    assert options_of(sent, credential, pace)["verify"] is True
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.contoso.com:3128")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(bundle))
    found = options_of(sent, credential, pace)
    assert found["verify"] == str(bundle)
    assert found["proxies"]["https"] == "http://proxy.contoso.com:3128"
    monkeypatch.setenv("NO_PROXY", "management.azure.com")
    assert "https" not in options_of(sent, credential, pace)["proxies"]


def test_a_session_that_trusts_no_environment_keeps_to_itself(sent, credential, pace, monkeypatch):
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.contoso.com:3128")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nowhere.pem")
    sent.session.trust_env = False
    found = options_of(sent, credential, pace)
    assert found["verify"] is True
    assert "https" not in found["proxies"]


def test_a_session_s_own_settings_are_kept(sent, credential, pace):
    sent.session.verify = "/own.pem"
    sent.session.cert = "/client.pem"
    sent.session.proxies = {"https": "http://own.contoso.com:3128"}
    found = options_of(sent, credential, pace)
    assert (found["verify"], found["cert"]) == ("/own.pem", "/client.pem")
    assert found["proxies"]["https"] == "http://own.contoso.com:3128"


def test_our_own_session_keeps_connections_and_tries_nothing_again(credential):
    with connect(credential) as azure:
        session = azure._client._client._pipeline._transport.session
        adapter = session.get_adapter("https://management.azure.com/")
    assert not session.trust_env  # what the environment says was taken once, and a ~/.netrc not at all
    assert adapter.max_retries.total == 0
    assert adapter._pool_maxsize == CONNECTIONS


def closings(monkeypatch):
    closed = []
    close = requests.Session.close
    monkeypatch.setattr(requests.Session, "close", lambda session: closed.append(session) or close(session))
    return closed


def test_our_own_session_is_closed_with_the_connection(credential, monkeypatch):
    closed = closings(monkeypatch)
    with connect(credential) as azure:
        assert closed == []
    assert closed == [azure._session]


def test_a_session_that_was_given_stays_open(sent, credential, pace, monkeypatch):
    closed = closings(monkeypatch)
    with connect(credential, session=sent.session, pace=pace) as azure:
        azure.get(PATH, VERSION)
    assert closed == []
    with connect(credential, session=sent.session, pace=pace.renewed(None)) as azure:
        assert azure.get(PATH, VERSION) == {}


def test_after_the_end_nothing_is_sent(sent, credential, pace):
    azure = connect(credential, session=sent.session, pace=pace)
    azure.get(PATH, VERSION)
    azure.close()
    azure.close()
    for _ in range(2):
        error = refused(azure)
        assert type(error) is UnreachableError
        assert str(error) == "the connection was closed"
        with pytest.raises(UnreachableError, match="the connection was closed"):
            azure.send("POST", PATH, VERSION, {})
        azure.begin()  # no new run of it either
    assert len(sent.requests) == len(credential.asked) == 1


def test_who_waits_when_the_connection_is_closed_is_woken(service, credential):
    """With the clock of the machine, on which this wait would take two minutes."""
    asked, ended = threading.Event(), []

    def throttled(request):
        asked.set()
        return 429, b"", {"Retry-After": "100"}

    service.says(PATH, throttled)
    azure = connect(credential, pace=Pace())

    def ask():
        try:
            azure.get(PATH, VERSION)
        except DeadlineError as error:
            ended.append(str(error))

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    assert asked.wait(60)
    azure.close()
    thread.join(60)
    assert len(ended) == 1
    assert "stopped" in ended[0]


# The credential that nobody gave.


@pytest.fixture
def az(tmp_path, monkeypatch):
    """A command `az` that gives tokens and writes down what it was asked for."""
    command, asked = tmp_path / "az", tmp_path / "asked"
    token = {"accessToken": "secret-token-cli", "expiresOn": "2100-01-01 00:00:00.000000", "expires_on": 4102444800}
    command.write_text(f"#!/bin/sh\necho \"$@\" >> {asked}\necho '{json.dumps(token)}'\n")
    command.chmod(command.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setenv("AZURE_TOKEN_CREDENTIALS", "AzureCliCredential")
    return asked


def test_without_a_credential_the_default_one_signs_in(az, service, pace):
    service.says("https://management.usgovcloudapi.net/subscriptions", {})
    with connect(cloud="usgovernment", pace=pace) as azure:
        assert isinstance(azure.credential, DefaultAzureCredential)
        azure.get(PATH, VERSION)
    (asked,) = az.read_text().splitlines()
    assert asked.endswith("--resource https://management.core.usgovcloudapi.net")
    assert service.requests[0].headers["Authorization"] == "Bearer secret-token-cli"


def test_the_tenant_is_the_one_that_was_asked_for(az, service, pace):
    service.says(PATH, {})
    with connect(tenant="aaaaaaaa-aaaa-aaaa-aaaa-aaaaaaaaaaaa", pace=pace) as azure:
        azure.get(PATH, VERSION)
        assert azure.tenant == "aaaaaaaa-aaaa-aaaa-aaaa-aaaaaaaaaaaa"
    (asked,) = az.read_text().splitlines()
    assert "--tenant aaaaaaaa-aaaa-aaaa-aaaa-aaaaaaaaaaaa" in asked


def test_a_tenant_that_is_none_is_a_sign_in_error(az, pace):
    with connect(tenant="two words", pace=pace) as azure:
        assert type(refused(azure)) is SignInError


def test_the_default_credential_knows_the_cloud_s_authority(credential, monkeypatch, tmp_path):
    made = []

    def make(**options):
        made.append(options)
        return credential

    monkeypatch.setattr("azure.identity.DefaultAzureCredential", make)
    cloud = tmp_path / "cloud.yaml"
    cloud.write_text("name: local\nresource_manager: https://arm.contoso.com\naudience: https://arm.contoso.com\n"
                     "authority: https://login.contoso.com\n")  # fmt: skip
    for name in ("public", "china", cloud):
        connect(cloud=name).close()
    assert made == [
        {"authority": "https://login.microsoftonline.com"},
        {"authority": "https://login.chinacloudapi.cn"},
        {"authority": "https://login.contoso.com", "disable_instance_discovery": True},
    ]
