"""Providers as a process of their own: oidc-provider-mock, which also insists on PKCE and can be told to misbehave.

python -m tests.openid.provider_process COUNT     prints the addresses as JSON, and serves until its input ends
"""

import base64
import hashlib
import hmac
import json
import sys
import threading
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import flask
import oidc_provider_mock
from joserfc import jwk, jwt
from oidc_provider_mock._storage import storage
from werkzeug.serving import make_server


def misbehaving(app: flask.Flask) -> flask.Flask:
    """`POST /told` says how, until it is told otherwise:

    claims     laid over those of the ID token; null takes one away        header    the same for its header
    signed_by  "other" (a key that is not published), "none" or "secret"   metadata  laid over what Discovery says
    answer     laid over the parameters with which the browser comes back  tokens    laid over the answer with tokens
    """
    told: dict[str, Any] = {}
    challenges: dict[str, str] = {}
    app.config["counts"] = counts = {"tokens": 0, "jwks": 0}
    other = jwk.RSAKey.generate_key(2048)

    @app.post("/told")
    def tell() -> Any:
        told.clear()
        told.update(flask.request.get_json())
        return "", 204

    @app.post("/rotate")
    def rotate() -> Any:
        storage.jwk = type(storage.jwk).generate_key(is_private=True)
        return "", 204

    @app.post("/sign")
    def sign() -> Any:
        return signed(flask.request.get_json()["claims"], flask.request.get_json().get("header", {}))

    @app.get("/counts")
    def counted() -> Any:
        return flask.jsonify(counts)

    def in_base64(value: dict[str, Any] | bytes) -> str:
        raw = value if isinstance(value, bytes) else json.dumps(value).encode()
        return base64.urlsafe_b64encode(raw).decode().rstrip("=")

    def signed(claims: dict[str, Any], header: dict[str, Any]) -> str:
        ours = jwk.RSAKey.import_key(storage.jwk.as_dict(is_private=True))
        by = told.get("signed_by", "ours")
        if by == "none":
            return f"{in_base64({'alg': 'none'})}.{in_base64(claims)}."
        if by == "secret":  # by hand: no library takes a public key for a secret, which is what this tries
            start = f"{in_base64({'alg': 'HS256'})}.{in_base64(claims)}"
            return f"{start}.{in_base64(hmac.digest(ours.as_pem(private=False), start.encode(), 'sha256'))}"
        return jwt.encode(
            {"alg": "RS256", "kid": ours.thumbprint(), **header}, claims, other if by == "other" else ours
        )

    @app.before_request
    def insist_on_pkce() -> Any:
        if flask.request.path == "/oauth2/token":
            counts["tokens"] += 1
            verifier = flask.request.form.get("code_verifier", "")
            digest = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
            if challenges.get(flask.request.form.get("code", "")) != digest:
                return flask.jsonify({"error": "invalid_grant"}), 400
        if flask.request.path == "/jwks":
            counts["jwks"] += 1
        return None

    @app.after_request
    def as_told(response: flask.Response) -> flask.Response:
        path = flask.request.path
        if path == "/.well-known/openid-configuration":
            response.set_data(json.dumps({**json.loads(response.get_data()), **told.get("metadata", {})}))
        elif path == "/jwks":
            keys = json.loads(response.get_data())["keys"]
            ours = jwk.RSAKey.import_key(keys[0])
            keys = [{**keys[0], "kid": ours.thumbprint()}, {"kty": "NEW-KIND", "kid": "x"}]
            response.set_data(json.dumps({"keys": keys}))
        elif path == "/oauth2/token" and response.status_code == 200:
            answer = json.loads(response.get_data())
            body = answer["id_token"].split(".")[1]
            claims = {**json.loads(base64.urlsafe_b64decode(body + "==")), **told.get("claims", {})}
            claims = {name: value for name, value in claims.items() if value is not None}
            answer["id_token"] = signed(claims, told.get("header", {}))
            response.set_data(json.dumps({**answer, **told.get("tokens", {})}))
        elif path == "/oauth2/authorize" and response.status_code == 302:
            parts = urlsplit(response.headers["location"])
            query = {**dict(parse_qsl(parts.query)), **told.get("answer", {})}
            challenges[query.get("code", "")] = flask.request.args.get("code_challenge", "")
            assert flask.request.args.get("code_challenge_method") == "S256"
            response.headers["location"] = urlunsplit(parts._replace(query=urlencode(query)))
        return response

    return app


def main() -> None:
    addresses = []
    for _ in range(int(sys.argv[1])):
        server = make_server("127.0.0.1", 0, misbehaving(oidc_provider_mock.app()), threaded=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        addresses.append(f"http://127.0.0.1:{server.server_port}")
    print(json.dumps(addresses), flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
