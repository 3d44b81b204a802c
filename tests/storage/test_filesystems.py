from __future__ import annotations

from pathlib import Path

import pytest

from jmuz_magic.storage import filesystems
from jmuz_magic.storage.filesystems import file_system_of, is_network
from tests.exchanges import new_log, write

MOUNTS = [
    ("/", "ext4"),
    ("/home", "nfs4"),
    ("/home/me/fast disk", "xfs"),
    ("/mnt/s", "fuse.sshfs"),
    ("/over", "tmpfs"),
    ("/over", "cifs"),
]


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/var/x", "ext4"),
        ("/home/me/x", "nfs4"),
        ("/homestead", "ext4"),
        ("/home/me/fast disk/x", "xfs"),
        ("/mnt/s", "fuse.sshfs"),
        ("/over/x", "cifs"),
    ],
)
def test_the_deepest_and_latest_mount_counts(path: str, kind: str) -> None:
    assert file_system_of(Path(path), MOUNTS) == kind


@pytest.mark.parametrize(
    ("kind", "network"),
    [("ext4", False), ("btrfs", False), ("tmpfs", False), ("overlay", False), ("apfs", False), ("fuse.ntfs-3g", False)]
    + [(kind, True) for kind in ("nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "fuse.sshfs", "ceph", "lustre", "afs")],
)
def test_network_file_systems_are_known(kind: str, network: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(filesystems, "_mounts", lambda: [("/", kind)])
    assert is_network(Path("/some/log.sqlite3")) is network


def test_this_machines_own_table_can_be_read() -> None:
    assert filesystems._mounts()
    assert file_system_of(Path("/"), filesystems._mounts())


def test_the_output_of_mount_is_understood() -> None:
    output = (
        "/dev/disk3s1s1 on / (apfs, sealed, local, read-only, journaled)\n"
        "//me@nas._smb._tcp.local/share on /Volumes/My share (smbfs, nodev, nosuid, mounted by me)\n"
        "map auto_home on /System/Volumes/Data/home (autofs, automounted, nobrowse)\n"
    )
    assert filesystems._read_mount_output(output) == [
        ("/", "apfs"),
        ("/Volumes/My share", "smbfs"),
        ("/System/Volumes/Data/home", "autofs"),
    ]


@pytest.mark.parametrize(("network", "journal"), [(True, "delete"), (False, "wal")])
def test_the_journal_is_one_that_works_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, network: bool, journal: str
) -> None:
    from jmuz_magic.log import store as log_store
    from jmuz_magic.storage import database

    monkeypatch.setattr(database, "is_network", lambda _: network)
    path = tmp_path / "log.sqlite3"
    log, _ = new_log(path)
    write(log)
    log.close()
    connection = log_store.connect_to_read(path)
    assert connection
    assert connection.execute("PRAGMA journal_mode").fetchone()[0] == journal
    connection.close()
    write(log)
    assert len(log.rows()) == 2
    log.close()
