"""What is wrong, in one line and without secrets, when an S3 server or its client refuses?"""

from __future__ import annotations

from typing import Final

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionClosedError,
    CredentialRetrievalError,
    EndpointConnectionError,
    HTTPClientError,
    NoCredentialsError,
    PartialCredentialsError,
)

_PASSING_CODES: Final = frozenset(
    "InternalError ServiceUnavailable SlowDown RequestTimeout Throttling ThrottlingException "
    "RequestLimitExceeded 500 502 503 504".split()
)
"""The server is overloaded or away and says to try again."""

_CONDITION_CODES: Final = frozenset(
    "PreconditionFailed ConditionalRequestConflict NoSuchKey OperationAborted 404 409 412".split()
)
"""A conditional write was refused because the object is another one by now, or is just written."""

_REGION_CODES: Final = frozenset(
    "PermanentRedirect AuthorizationHeaderMalformed IllegalLocationConstraintException 301".split()
)
_CREDENTIAL_CODES: Final = frozenset(
    "InvalidAccessKeyId SignatureDoesNotMatch ExpiredToken InvalidToken TokenRefreshRequired "
    "InvalidClientTokenId 401".split()
)
_DENIED_CODES: Final = frozenset("AccessDenied AllAccessDisabled Forbidden 403".split())


def code_of(error: Exception) -> str:
    """The code of an answer that is an error; empty if there was no answer."""
    if not isinstance(error, ClientError):
        return ""
    return str(error.response.get("Error", {}).get("Code", ""))


def is_passing(error: Exception) -> bool:
    """Whether the server is away or asks to try again."""
    if isinstance(error, ClientError):
        return code_of(error) in _PASSING_CODES
    return isinstance(error, EndpointConnectionError | ConnectionClosedError | HTTPClientError)


def is_condition(error: Exception) -> bool:
    """Whether a conditional write was refused because of its condition."""
    return code_of(error) in _CONDITION_CODES


def is_denied(error: Exception) -> bool:
    """Whether the credentials are good, but not for this."""
    return code_of(error) in _DENIED_CODES


def is_not_served(error: Exception) -> bool:
    """Whether the server has no such operation."""
    return code_of(error) in ("NotImplemented", "MethodNotAllowed", "501", "405")


def is_absent(error: Exception) -> bool:
    """Whether there is no such object."""
    return code_of(error) in ("NoSuchKey", "404", "NoSuchUpload")


def told(error: BotoCoreError | ClientError, bucket: str) -> str:
    """What is wrong and what to do."""
    if isinstance(error, ClientError):
        return _of_answer(error, bucket)
    if isinstance(error, NoCredentialsError | PartialCredentialsError | CredentialRetrievalError):
        return (
            "no credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE "
            f"({type(error).__name__})"
        )
    if is_passing(error):
        return f"the server does not answer ({type(error).__name__})"
    return f"{type(error).__name__}: {error}"


def _of_answer(error: ClientError, bucket: str) -> str:
    code, operation = code_of(error), error.operation_name
    if code == "NoSuchBucket":
        return f"there is no bucket {bucket}: make it first, or check its name and the endpoint"
    if code in _REGION_CODES:
        return f"the bucket is in another region: set AWS_DEFAULT_REGION ({code})"
    if code in _CREDENTIAL_CODES:
        return f"the server does not accept these credentials ({code})"
    if code in _DENIED_CODES:
        return f"these credentials do not allow {operation} in {bucket}, or it is not theirs"
    said = str(error.response.get("Error", {}).get("Message", "")).partition("\n")[0]
    return f"{operation} was refused: {code} {said}".rstrip()
