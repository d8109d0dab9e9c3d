"""Vertex AI by service account: files, keys, tokens, the import, and models that only draw."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import stat
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import httpx
import ppap_openai.testing as chat
import pytest
from click.testing import CliRunner
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from ppap_gemini.provider import VERTEX_AI, GoogleApi, headers_of
from ppap_gemini.testing import error, reply, stream
from ppap_gemini.vertex.account import VertexAccount, credentials_in
from ppap_gemini.vertex.imagen import answer_of, draws, prediction_request
from ppap_gemini.vertex.importing import file_name
from ppap_gemini.vertex.private_key import UnusableKey, loaded, mended
from ppap_gemini.vertex.tokens import MARGIN, SCOPE, AccessTokens

from ppap_core.cli import cli
from ppap_core.credentials import Credential, CredentialFile
from ppap_core.errors import CredentialFileError, InvalidRequest, MalformedReply, UpstreamFault
from ppap_core.reference_cli import parse
from ppap_core.testing import StubUpstream, streamed, whole
from ppap_core.testing.fixtures import fixture_cases
from ppap_core.testing.provider import AsyncCheck, ProviderCase, provider_checks
from ppap_core.testing.running import RunningProxy, running
from ppap_core.upstream import Upstream, UpstreamSettings

FIXTURES = Path(__file__).parent / "fixtures"
KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
PEM = KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
RSA_PEM = KEY.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()).decode()
EC_PEM = (
    ec.generate_private_key(ec.SECP256R1())
    .private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    .decode()
)
TOKEN = "ya29.minted-0001"
CONTENTS = [{"role": "user", "parts": [{"text": "Hello"}]}]


def cases(kind: str) -> Any:
    found = fixture_cases(FIXTURES / kind)
    return pytest.mark.parametrize("case", found.values(), ids=found)


def google_json(token_uri: str = "https://oauth2.googleapis.com/token", key: str = PEM) -> dict[str, Any]:
    return {
        "type": "service_account",
        "project_id": "my-project",
        "client_email": "robot@my-project.iam.example",
        "private_key": key,
        "token_uri": token_uri,
    }


def fields_of(url: str = "", **more: Any) -> dict[str, Any]:
    """The fields of a credential file whose service is at `url`, and its token endpoint, too."""
    return {
        "type": "vertex",
        "project_id": "my-project",
        "email": "robot@my-project.iam.example",
        "location": "europe-west4",
        "service_account": google_json(f"{url}/token" if url else ""),
        **({"base_url": url} if url else {}),
        **more,
    }


def credential_of(fields: Mapping[str, Any]) -> Credential:
    (credential,) = credentials_in(
        CredentialFile(path=Path("vertex-my-project.json"), type="vertex", fields=fields)
    )
    return credential


def granted(token: str = TOKEN, **more: Any) -> bytes:
    return json.dumps({"access_token": token, "expires_in": 3600, "token_type": "Bearer", **more}).encode()


# --- private keys -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "damaged",
    [
        PEM,
        RSA_PEM,
        PEM.replace("\n", "\r\n"),
        PEM.replace("\n", "\r"),
        PEM.replace("\n", "\\n"),
        PEM.replace("\n", " "),
        PEM.replace("\n", ""),
        "\x1b[32m" + PEM.replace("MII", "\x1b[0mMII") + "\x1b[0m",
        PEM.replace("MII", "MI\ufffdI\u200b"),
        "here it is:\n" + PEM + "\nbye",
    ],
)
def test_a_damaged_key_is_mended(damaged: str) -> None:
    """Copying breaks lines and adds characters; the key is still in there (auth spec, 1.4)."""
    assert loaded(damaged).private_numbers() == KEY.private_numbers()
    assert mended(mended(damaged)) == mended(damaged)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "not PEM"),
        ("c2VjcmV0", "not PEM"),
        ("-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----", "cannot be read"),
        (EC_PEM, "not an RSA key"),
    ],
)
def test_what_is_no_key_is_refused_without_showing_it(text: str, reason: str) -> None:
    """The operator learns what is wrong, and nobody learns the key."""
    with pytest.raises(UnusableKey, match=reason) as raised:
        loaded(text)
    assert "c2VjcmV0" not in str(raised.value)


# --- credential files -------------------------------------------------------------------------


def test_a_file_becomes_a_credential_that_keeps_its_secrets() -> None:
    """Id is the file's name, the label the account; the key never shows (auth spec, 1.1 and 1.4)."""
    credential = credential_of(fields_of(headers={"X-Extra": "y"}))
    assert (credential.id, credential.provider) == ("vertex-my-project.json", "vertex")
    assert credential.label == "robot@my-project.iam.example"
    assert PEM in credential.secrets
    assert "PRIVATE KEY" not in repr(credential)
    assert credential.settings.headers == {"x-extra": "y"}
    assert "PRIVATE KEY" not in repr(credential.settings)


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"project_id": " "}, "missing project_id in credentials"),
        ({"service_account": None}, "missing service_account in credentials"),
        ({"service_account": {"private_key": PEM}}, "private_key and client_email"),
        ({"service_account": google_json(key="x")}, "service_account: the private key is not PEM"),
    ],
)
def test_an_unusable_file_is_told_by_name(fields: dict[str, Any], told: str) -> None:
    """Which file, and what is missing in it (Gemini spec, 18.3)."""
    with pytest.raises(CredentialFileError, match=rf"vertex-my-project\.json: .*{told}"):
        credential_of({**fields_of(), **fields})


@pytest.mark.parametrize(
    ("fields", "url"),
    [
        (
            {},
            "https://europe-west4-aiplatform.googleapis.com/v1/projects/my-project/locations/europe-west4/publishers/google/models",
        ),
        (
            {"location": ""},
            "https://us-central1-aiplatform.googleapis.com/v1/projects/my-project/locations/us-central1/publishers/google/models",
        ),
        (
            {"location": "global"},
            "https://aiplatform.googleapis.com/v1/projects/my-project/locations/global/publishers/google/models",
        ),
        ({"api_key": "AQ.1"}, "https://aiplatform.googleapis.com/v1/publishers/google/models"),
    ],
)
def test_the_location_makes_the_address(fields: dict[str, Any], url: str) -> None:
    """A region has a host of its own, ``global`` has none; a key needs no project (Gemini spec, 18.3)."""
    entry = credential_of({**fields_of(), **fields}).settings
    assert (
        VERTEX_AI.url(entry, "gemini-2.5-pro", "generateContent") == f"{url}/gemini-2.5-pro:generateContent"
    )


def test_a_key_outranks_a_token_and_a_token_the_account() -> None:
    """Exactly one of them is sent, each in its own header (Gemini spec, 18.3)."""
    token = VertexAccount(project="p", access_token="ya29.given")
    assert headers_of(token, streams=False)["authorization"] == "Bearer ya29.given"
    both = VertexAccount(project="p", access_token="ya29.given", api_key="AQ.1")
    assert headers_of(both, streams=False)["x-goog-api-key"] == "AQ.1"
    assert "authorization" not in headers_of(both, streams=False)
    assert credential_of({**fields_of(), "access_token": "ya29.x"}).settings.account is None


# --- tokens -----------------------------------------------------------------------------------


@contextlib.asynccontextmanager
async def upstream() -> AsyncIterator[Upstream]:
    opened = Upstream(UpstreamSettings())
    try:
        yield opened
    finally:
        await opened.close()


def part(text: str) -> Any:
    return json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))


async def test_a_token_is_asked_for_with_a_signed_assertion() -> None:
    """RS256 over scope, audience and an hour's time, which the account's public key confirms (18.3)."""
    async with StubUpstream() as stub, upstream() as road:
        stub.otherwise(whole(granted()))
        credential = credential_of(fields_of(stub.url))
        tokens = AccessTokens(road, clock=lambda: 1000.0)
        assert (await tokens.token(credential, credential.settings.account)).value == TOKEN
        (request,) = stub.requests
        form = parse_qs(request.body.decode())
        assert form["grant_type"] == ["urn:ietf:params:oauth:grant-type:jwt-bearer"]
        header, claims, signature = form["assertion"][0].split(".")
        assert part(header) == {"alg": "RS256", "typ": "JWT"}
        assert part(claims) == {
            "iss": "robot@my-project.iam.example",
            "scope": SCOPE,
            "aud": f"{stub.url}/token",
            "iat": 1000,
            "exp": 4600,
        }
        signed = base64.urlsafe_b64decode(signature + "=" * (-len(signature) % 4))
        KEY.public_key().verify(signed, f"{header}.{claims}".encode(), padding.PKCS1v15(), SHA256())


async def test_a_token_is_minted_once_and_kept_until_shortly_before_its_end() -> None:
    """Twenty calls at once make one request; five minutes before the end makes the next (18.3; 21, 11)."""
    now = [1000.0]
    async with StubUpstream() as stub, upstream() as road:
        stub.answers(whole(granted("one")), whole(granted("two")))
        credential = credential_of(fields_of(stub.url))
        tokens = AccessTokens(road, clock=lambda: now[0])
        account = credential.settings.account
        got = await asyncio.gather(*(tokens.token(credential, account) for _ in range(20)))
        assert {token.value for token in got} == {"one"}
        now[0] += 3600 - MARGIN - 1
        assert (await tokens.token(credential, account)).value == "one"
        now[0] += 1
        assert (await tokens.token(credential, account)).value == "two"
        assert len(stub.requests) == 2


async def test_who_leaves_does_not_take_the_token_along() -> None:
    """A cancelled request costs the others that wait nothing."""
    go_on = asyncio.Event()
    async with StubUpstream() as stub, upstream() as road:
        stub.otherwise(streamed([go_on, granted()]))
        credential = credential_of(fields_of(stub.url))
        tokens = AccessTokens(road)
        first, second = (
            asyncio.create_task(tokens.token(credential, credential.settings.account)) for _ in range(2)
        )
        await stub.received()
        first.cancel()
        go_on.set()
        assert (await second).value == TOKEN
        assert len(stub.requests) == 1


@pytest.mark.parametrize(
    ("status", "body", "theirs"),
    [
        (400, b'{"error":"invalid_grant","error_description":"Invalid JWT Signature."}', 401),
        (401, b"", 401),
        (429, b"{}", 429),
        (503, b"<html>", 503),
    ],
)
async def test_a_refused_sign_in_is_told_in_the_log_only(
    status: int, body: bytes, theirs: int, caplog: pytest.LogCaptureFixture
) -> None:
    """The client does not learn why the operator's account was refused (18.3)."""
    async with StubUpstream() as stub, upstream() as road:
        stub.otherwise(whole(body, status=status))
        credential = credential_of(fields_of(stub.url))
        with pytest.raises(UpstreamFault) as raised:
            await AccessTokens(road).token(credential, credential.settings.account)
        assert (raised.value.detail.status, raised.value.detail.code) == (theirs, "sign_in_failed")
        assert "JWT" not in str(raised.value)
        assert f"robot@my-project.iam.example: no access token (status {status})" in caplog.text


async def test_an_answer_without_a_token_is_malformed() -> None:
    async with StubUpstream() as stub, upstream() as road:
        stub.otherwise(whole(b'{"token":1}'))
        credential = credential_of(fields_of(stub.url))
        with pytest.raises(MalformedReply):
            await AccessTokens(road).token(credential, credential.settings.account)


# --- the provider -----------------------------------------------------------------------------


@contextlib.asynccontextmanager
async def signed_in() -> AsyncIterator[GoogleApi]:
    """A provider; its token endpoint is another one than the service that is under test."""
    async with upstream() as road, StubUpstream() as tokens:
        tokens.otherwise(whole(granted()))
        TOKEN_URL[0] = tokens.url
        yield GoogleApi(road, VERTEX_AI)


TOKEN_URL = [""]


def account_at(url: str) -> Credential:
    return credential_of({**fields_of(url), "service_account": google_json(TOKEN_URL[0] + "/token")})


CASE = ProviderCase(
    opened=signed_in,
    credential=account_at,
    key=TOKEN,
    body=json.dumps({"contents": CONTENTS, "safetySettings": []}).encode(),
    reply=reply("Hi"),
    frames=stream("Hi"),
    error=error,
)


@pytest.mark.parametrize("check", provider_checks(CASE), ids=str)
async def test_service_accounts_keep_the_contract_of_a_provider(check: AsyncCheck) -> None:
    """One request per call, the token in its header only, every failure told apart, nothing left open."""
    await check()


@contextlib.asynccontextmanager
async def proxied(fields: Mapping[str, Any]) -> AsyncIterator[tuple[RunningProxy, httpx.AsyncClient]]:
    async with (
        running("request-retry: 0\n", files={"vertex-my-project.json": fields}) as proxy,
        httpx.AsyncClient(base_url=proxy.base_url, headers=dict(proxy.headers), trust_env=False) as client,
    ):
        yield proxy, client


MODEL = "gemini-2.5-flash"
TARGET = f"/v1/projects/my-project/locations/europe-west4/publishers/google/models/{MODEL}"


async def test_a_file_serves_every_client() -> None:
    """A file in the folder is enough; the second request uses the first one's token (18.3)."""
    async with StubUpstream() as stub, proxied(fields_of(stub.url, prefix="team")) as (proxy, client):
        stub.answers(
            whole(granted()), whole(reply("Hi")), streamed(stream("Hi")), whole(b'{"totalTokens":5}')
        )
        url = f"/v1beta/models/{MODEL}"
        answer = await client.post(f"{url}:generateContent", json={"contents": CONTENTS})
        assert answer.content == reply("Hi")
        asked = chat.request(model=f"team/{MODEL}", stream=True)
        assert f'"model":"team/{MODEL}"' in (await client.post("/v1/chat/completions", content=asked)).text
        counted = await client.post(f"{url}:countTokens", json={"contents": CONTENTS})
        assert counted.json()["totalTokens"] == 5
        token, *calls = stub.requests
        assert token.target == "/token"
        assert [call.target for call in calls] == [
            f"{TARGET}:generateContent",
            f"{TARGET}:streamGenerateContent?alt=sse",
            f"{TARGET}:countTokens",
        ]
        assert {call.headers["authorization"] for call in calls} == {f"Bearer {TOKEN}"}
        assert all("x-goog-api-key" not in call.headers for call in calls)
        assert "safetySettings" in calls[0].json()
        assert proxy.records[0].credential_label == "robot@my-project.iam.example"


async def test_a_refused_token_is_replaced_once() -> None:
    """A revoked token costs one request, not half an hour; a refused account is left alone (18.3)."""
    refused = whole(error(401), status=401)
    async with StubUpstream() as stub, proxied(fields_of(stub.url)) as (_, client):
        stub.answers(whole(granted("old")), refused, whole(granted("new")), whole(reply("Hi")))
        url = f"/v1beta/models/{MODEL}:generateContent"
        assert (await client.post(url, json={"contents": CONTENTS})).content == reply("Hi")
        assert stub.requests[-1].headers["authorization"] == "Bearer new"
        stub.answers(refused, whole(granted("newer")), refused)
        answer = await client.post(url, json={"contents": CONTENTS})
        assert (answer.status_code, len(stub.requests)) == (503, 7)


# --- models that only draw --------------------------------------------------------------------


@cases("imagen_request")
def test_a_drawing_is_asked_for(case: dict[str, Any]) -> None:
    """The first words of a request are what is drawn; options go with them (18.3)."""
    body = json.dumps(case["body"]).encode()
    if "refused" in case:
        with pytest.raises(InvalidRequest, match=case["refused"]):
            prediction_request(body)
    else:
        assert json.loads(prediction_request(body)) == case["asked"]


@cases("imagen_answer")
def test_a_drawing_is_answered(case: dict[str, Any]) -> None:
    """Pictures come as inline data of one answer, with a usage of nothing (18.3)."""
    answer = json.loads(answer_of(json.dumps(case["body"]).encode(), "imagen-4"))
    assert answer["candidates"] == [case["candidate"]]
    assert answer["responseId"].startswith("imagen-")
    assert answer["modelVersion"] == "imagen-4"
    assert answer["usageMetadata"]["totalTokenCount"] == 0


def test_which_models_draw() -> None:
    """By their name, in any case (18.3)."""
    assert draws("Imagen-4.0-generate-001")
    assert not draws("gemini-3-pro-image-preview")
    with pytest.raises(MalformedReply):
        answer_of(b"[]", "imagen-4")


IMAGEN = """
vertex-api-key:
  - {{api-key: AQ.key-0001, base-url: "{url}", models: [{{name: imagen-4.0-generate-001, alias: painter}}]}}
"""


@pytest.mark.parametrize("streams", [False, True])
async def test_a_drawing_reaches_clients_of_every_format(streams: bool) -> None:
    """Also by API key, and also as a stream, whose one chunk has the picture (18.3)."""
    method = "streamGenerateContent" if streams else "generateContent"
    async with (
        StubUpstream() as stub,
        running(IMAGEN.format(url=stub.url)) as proxy,
        httpx.AsyncClient(base_url=proxy.base_url, headers=dict(proxy.headers), trust_env=False) as client,
    ):
        stub.otherwise(whole(b'{"predictions":[{"bytesBase64Encoded":"AA=="}]}'))
        answer = await client.post(f"/v1beta/models/painter:{method}", json={"contents": CONTENTS})
        assert '"inlineData":{"mimeType":"image/png","data":"AA=="}' in answer.text
        said = await client.post(
            "/v1/chat/completions", content=chat.request(model="painter", stream=streams)
        )
        assert "data:image/png;base64,AA==" in said.text
        assert {request.target for request in stub.requests} == {
            "/v1/publishers/google/models/imagen-4.0-generate-001:predict"
        }
        stub.answers(whole(error(400), status=400))
        refused = await client.post(f"/v1beta/models/painter:{method}", json={"contents": CONTENTS})
        assert (refused.status_code, refused.content) == (400, error(400))
        nothing = await client.post(f"/v1beta/models/painter:{method}", json={"contents": []})
        assert nothing.status_code == 400
        assert "no prompt" in nothing.json()["error"]["message"]


async def test_rules_of_the_channel_hold_for_service_accounts(tmp_path: Path) -> None:
    """And not for API keys of the same provider, nor for a key in a file (auth spec, 6.5)."""
    accounts = tmp_path / "accounts"
    accounts.mkdir()
    (accounts / "robot.json").write_text(json.dumps(fields_of(access_token=TOKEN)))
    (accounts / "key.json").write_text(json.dumps(fields_of(api_key="AIza-file-0001", prefix="file")))
    config = (
        f"auth-dir: {accounts}\nplugins: {{disabled: [demo]}}\n"
        "vertex-api-key: [{api-key: AIza-0001, prefix: key}]\n"
        "oauth-model-alias: {vertex: [{name: gemini-2.5-pro, alias: pro}]}\n"
        "oauth-excluded-models: {vertex: [gemini-3*, imagen*]}\n"
    )
    async with running(config) as proxy:
        routes = proxy.proxy.snapshot.index.routes
        served = {key: [each.credential.id for each in routes[key].candidates] for key in routes}
    assert served["pro"] == ["robot.json"]
    assert "robot.json" not in served["gemini-2.5-pro"]
    assert served["key/gemini-2.5-pro"]
    assert served["file/gemini-2.5-pro"] == ["key.json"]
    assert "file/pro" not in served
    assert not [key for key, ids in served.items() if key.startswith("gemini-3") and "robot.json" in ids]


# --- importing --------------------------------------------------------------------------------


def imported(tmp_path: Path, told: object, *options: str) -> Any:
    (tmp_path / "config.yaml").write_text(f"auth-dir: {tmp_path / 'accounts'}\n")
    source = tmp_path / "key.json"
    source.write_text(told if isinstance(told, str) else json.dumps(told), encoding="utf-8")
    config = ["--config", str(tmp_path / "config.yaml")]
    return CliRunner().invoke(cli, ["vertex-import", str(source), *options, *config])


def test_a_service_account_is_imported(tmp_path: Path) -> None:
    """Google's file becomes one of ours, mended, and readable by its owner alone (auth spec, 2.1)."""
    done = imported(
        tmp_path, google_json(key=PEM.replace("\n", " ")), "--prefix", "/eu/", "--location", "global"
    )
    assert done.exit_code == 0, done.output
    path = tmp_path / "accounts" / "vertex-eu-my-project.json"
    assert str(path) in done.output
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    fields = json.loads(path.read_text())
    assert (fields["type"], fields["prefix"], fields["location"]) == ("vertex", "eu", "global")
    assert fields["label"] == "my-project (robot@my-project.iam.example)"
    assert fields["service_account"]["private_key"] == PEM
    credential = credential_of(fields)
    assert credential.label == fields["label"]


@pytest.mark.parametrize(
    ("told", "options", "reason"),
    [
        ("{", (), "not JSON (line 1"),
        ([], (), "project_id is missing"),
        ({**google_json(), "project_id": ""}, (), "project_id is missing"),
        (google_json(key="x"), (), "not PEM"),
        (google_json(), ("--prefix", "a/b"), "one path segment"),
    ],
)
def test_what_is_no_service_account_is_refused(
    tmp_path: Path, told: Any, options: tuple[str, ...], reason: str
) -> None:
    """Nothing is written, the exit code says so, and the message what is wrong (auth spec, 1.4)."""
    done = imported(tmp_path, told, *options)
    assert done.exit_code == 1
    assert reason in done.output
    assert not (tmp_path / "accounts").exists()


def test_an_account_without_an_address_is_only_warned_about(tmp_path: Path) -> None:
    """It may be filled in later (auth spec, 1.4)."""
    told = google_json()
    del told["client_email"]
    done = imported(tmp_path, told)
    assert (done.exit_code, "no client_email" in done.output) == (0, True)


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    done = CliRunner().invoke(cli, ["vertex-import", str(tmp_path / "none.json")])
    assert (done.exit_code, "No such file" in done.output) == (1, True)


def test_names_of_files_hold_no_separators() -> None:
    """A project or prefix cannot lead out of the folder (auth spec, 1.4)."""
    assert file_name({"project_id": "a/b\\c:d e"}) == "vertex-a_b_c_d-e.json"
    assert file_name({"project_id": "p", "prefix": "eu"}) == "vertex-eu-p.json"


def test_the_references_flags_import_too() -> None:
    """``-vertex-import FILE -vertex-import-prefix P`` does the same (auth spec, 2.1)."""
    flags = parse(["-vertex-import", "k.json", "--vertex-import-prefix=eu", "-config", "c.yaml"])
    assert flags.command is not None
    assert (flags.command.name, list(flags.words)) == ("vertex-import", ["k.json", "--prefix", "eu"])
    assert flags.config == Path("c.yaml")
