"""How does a record of a file store come into force? By one rename that nobody sees half done."""

from __future__ import annotations

import contextlib
import logging
import os

from stores.file_artifacts import FileArtifacts
from stores.file_lease import FileLeases
from stores.held_lease import HeldLease
from stores.record import Record, RecordText

_log = logging.getLogger("stores")


class FileCommits:
    """The end of attempts that have a result.

    Args:
        leases: Who computes what.
        artifacts: The files of attempts; those of a commit that fails are dropped.
        fsync: Whether a record survives a loss of power.
    """

    def __init__(self, leases: FileLeases, artifacts: FileArtifacts, *, fsync: bool) -> None:
        self._leases, self._artifacts = leases, artifacts
        self._fsync = fsync

    def put_in_force(
        self, held: HeldLease, record: Record, *, is_first: bool
    ) -> tuple[RecordText, os.stat_result]:
        """Write the record behind the owner of the lease, then rename that into its place.

        One fsync after the rename brings both to the disk. Where an older record is replaced, the
        new one has to be there before.

        Returns:
            What was written, and the file that it is in.
        """
        try:
            text = record.text()
            data = f",{text.whole[1:]}\n".encode()
            while data:
                data = data[os.write(held.descriptor, data) :]
            if self._fsync and not is_first:
                os.fsync(held.descriptor)
            found = self._leases.commit(held, record.address)
        except BaseException:  # an interrupt, too: nobody could take the key in this process
            if not self._leases.is_committed(held):
                # first the files: whoever takes the lease next may use the same number
                self._artifacts.drop_attempt(record.address, held.number)
            self._leases.release(held)
            raise
        if self._fsync:
            self._settle(held, record, is_first=is_first)
        return text, found

    def _settle(self, held: HeldLease, record: Record, *, is_first: bool) -> None:
        """Bring a record in force to the disk, or take it back: it may not have arrived."""
        try:
            os.fsync(held.descriptor)
        except OSError as error:
            if not is_first:  # its content is on the disk; that it is in force, perhaps
                _log.warning("%s may be forgotten if power is lost: %s", record.address, error)
                return
            with contextlib.suppress(OSError):
                os.unlink(held.key.record)
            self._artifacts.drop_attempt(record.address, held.number)
            raise
