"""A client of S3: one per process, asked again while the server is away."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, Final, TypeVar

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from stores.errors import StoreError
from stores.patience import Patience
from stores.s3_address import checked_endpoint, is_amazon, parsed_address
from stores.s3_errors import is_passing, told
from stores.s3_marker import MARKER, check_server

T = TypeVar("T")

PARALLEL: Final = 16
"""So many questions are asked at the same time."""


class S3Client:
    """Asks questions about one prefix of a bucket.

    Args:
        url: `s3://bucket/prefix`.
        endpoint_url: Of a server that is not Amazon's; None leaves it to the environment.
        patience_s: How long to wait for a server that has gone away.

    Raises:
        StoreError: the URL is none, or holds credentials.

    Attributes:
        bucket: Its name.
        name: What to call the store in messages.
    """

    def __init__(self, url: str, endpoint_url: str | None, patience_s: float) -> None:
        self.bucket, self._prefix = parsed_address(url)
        self._endpoint_url = checked_endpoint(endpoint_url)
        self.name = f"s3://{self.bucket}/{self._prefix}".rstrip("/")
        self._patience = Patience(self.name, is_passing, patience_s)
        self._clients: dict[int, Any] = {}
        self._is_prepared = False

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_clients": {}}

    def ask(self, question: Callable[[Any], T]) -> T:
        """What a question to the server finds or does; it may be asked twice.

        Raises:
            StoreError: the server refuses it, is away for too long, or is not fit for a store.
        """

        def ask() -> T:
            client = self.of_this_process()
            if not self._is_prepared:
                check_server(client, self.bucket, self.key_of(MARKER), self.name)
                self._is_prepared = True
            return question(client)

        try:
            return self._patience.ask(ask)
        except (BotoCoreError, ClientError) as error:
            raise StoreError(f"{self.name}: {told(error, self.bucket)}") from error

    def key_of(self, name: str) -> str:
        """The key of an object."""
        return f"{self._prefix}/{name}" if self._prefix else name

    def name_of(self, key: str) -> str:
        """The name of the object with a key."""
        return key[len(self._prefix) + 1 :] if self._prefix else key

    def of_this_process(self) -> Any:
        """The client itself."""
        pid = os.getpid()
        client = self._clients.get(pid)
        if client is None:
            self._clients.clear()  # the parent's; its sockets are not ours
            client = self._clients[pid] = boto3.session.Session().client(
                "s3", endpoint_url=self._endpoint_url, config=_config(self._endpoint_url)
            )
        return client

    def close(self) -> None:
        """Close the client; the next question makes another one."""
        for client in self._clients.values():
            client.close()
        self._clients.clear()


def _config(endpoint_url: str | None) -> Config:
    return Config(
        connect_timeout=5,
        read_timeout=60,
        max_pool_connections=2 * PARALLEL,
        retries={"total_max_attempts": 3},
        request_checksum_calculation="when_required",  # other servers do not know the newer ones
        response_checksum_validation="when_required",
        s3={} if is_amazon(endpoint_url) else {"addressing_style": "path"},
    )
