"""How the API refuses a request: `{"error": {"message", "type", "param", "code"}}`; see docs/fake.md."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.responses import JSONResponse, Response

KEYS_PAGE = "https://platform.openai.com/account/api-keys"


class ApiError(Exception):
    """A refusal with its HTTP status."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        code: str | None = None,
        kind: str = "invalid_request_error",
        param: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.code = code
        self.kind = kind
        self.param = param
        self.headers = dict(headers or {})

    def response(self) -> Response:
        """The refusal on the wire."""
        error = {"message": self.message, "type": self.kind, "param": self.param, "code": self.code}
        return JSONResponse({"error": error}, self.status, headers=self.headers)


def missing_key() -> ApiError:
    """No key came with the request."""
    return ApiError(
        401,
        "You didn't provide an API key. You need to provide your API key in an Authorization header using"
        f" Bearer auth (i.e. Authorization: Bearer YOUR_KEY). You can obtain an API key from {KEYS_PAGE}.",
    )


def invalid_key(key: str) -> ApiError:
    """The API shows the key's ends, so that its owner knows which one it was."""
    shown = f"{key[:3]}{'*' * 8}{key[-4:]}" if len(key) > 12 else "*" * len(key)
    message = f"Incorrect API key provided: {shown}. You can find your API key at {KEYS_PAGE}."
    return ApiError(401, message, code="invalid_api_key")


def expired_key() -> ApiError:
    """An ephemeral key past its time."""
    return ApiError(401, "The ephemeral key has expired.", code="token_expired")


def invalid_offer(message: str) -> ApiError:
    """The offer cannot be used, for the reason given."""
    return ApiError(400, message, code="invalid_offer")


def unparsable_offer(problem: str) -> ApiError:
    """In the words of the server's SDP parser."""
    return invalid_offer(f"Failed to parse offer: failed to unmarshal SDP: {problem}")


def unusable_offer() -> ApiError:
    """It is SDP, but not an offer to answer: no audio with Opus, no transport."""
    return invalid_offer("Invalid SDP offer. Please try again with a WHIP-compliant offer.")


def bad_multipart() -> ApiError:
    """As reported: a broken form is answered by 400 with an empty message."""
    return ApiError(400, "")


def too_large() -> ApiError:
    """Longer than any request has reason to be."""
    return ApiError(413, "The request body is too large.", code="request_too_large")


def unsupported_media_type(found: str) -> ApiError:
    """A body that is neither SDP nor a form."""
    return ApiError(
        400,
        f"Unsupported content type: '{found}'. This API method only accepts 'application/sdp' and"
        " 'multipart/form-data' requests.",
        code="unsupported_content_type",
    )


def call_not_found(call_id: str) -> ApiError:
    """There is no such live call."""
    return ApiError(404, f"No call found for call_id '{call_id}'.", code="call_id_not_found")


def model_not_found(model: str, status: int = 404) -> ApiError:
    """The model is unknown, or shut down."""
    message = f"The model `{model}` does not exist or you do not have access to it."
    return ApiError(status, message, code="model_not_found")


def model_refused(model: str) -> ApiError:
    """The model exists, and this project may not use it."""
    message = f"Project `proj_fake` does not have access to model `{model}`"
    return ApiError(403, message, code="model_not_found")


def model_transcribes(model: str) -> ApiError:
    """The model is for transcription sessions alone."""
    return ApiError(400, f'Model "{model}" is not supported in realtime mode.')


def model_of_transcription() -> ApiError:
    """The URL of a transcription session names a model; its place is in the session."""
    return ApiError(400, "You must not provide a model parameter for transcription sessions.")


def project_key_refused() -> ApiError:
    """A raw offer is for ephemeral keys. The words are not known."""
    return ApiError(401, "A raw SDP offer needs an ephemeral key.", code="invalid_api_key")


def beta_disabled() -> ApiError:
    """The endpoint or shape of the retired beta API."""
    return ApiError(
        400,
        "The Realtime Beta API is no longer supported. Please use /v1/realtime/calls and the GA shape.",
        code="beta_api_shape_disabled",
    )


def unknown_url(method: str, path: str) -> ApiError:
    """Nothing is served here."""
    return ApiError(404, f"Invalid URL ({method} {path})")


def wrong_method(method: str, path: str) -> ApiError:
    """Something is served here, but not for this method."""
    return ApiError(405, f"Not allowed to {method} on {path}.", code="method_not_supported")


def invalid_json() -> ApiError:
    """The body is no JSON object."""
    return ApiError(400, "We could not parse the JSON body of your request.", code="invalid_json")


def invalid_parameter(param: str, message: str, code: str = "invalid_value") -> ApiError:
    """A field of the body has a value that it may not have."""
    return ApiError(400, message, code=code, param=param)
