"""The file system of a path. SQLite's fast journal (WAL) needs a local one: its writers share memory."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

__all__ = ["file_system_of", "is_network"]

_NETWORK = re.compile(
    r"nfs\d?|smb\w*|cifs|afpfs|webdav|9p|afs|ceph|glusterfs|lustre|gpfs|beegfs|ocfs2|gfs2|virtiofs|drvfs|davfs\d?"
    r"|fuse\.(?!fuse-overlayfs|ext|ntfs).*|macfuse|osxfuse"
)
_MOUNT_LINE = re.compile(r".+? on (?P<point>.+?) \((?P<kind>\w+)[,)]")  # of the command `mount` on macOS


def is_network(path: Path) -> bool:
    """Whether other machines may write to the file; if in doubt, True for FUSE file systems and False for others."""
    real = path.absolute().parent.resolve()
    if sys.platform == "win32":
        return str(real).startswith("\\\\")
    try:
        mounts = _mounts()
    except (OSError, subprocess.SubprocessError):
        return False
    return bool(_NETWORK.fullmatch(file_system_of(real, mounts)))


def file_system_of(path: Path, mounts: list[tuple[str, str]]) -> str:
    """The type of the mount that holds `path`: the last one with the longest mount point; "" if none does.

    Args:
        path: absolute, without symbolic links.
        mounts: mount points and types, in the order of mounting.
    """
    holding = [(point, kind) for point, kind in mounts if path.is_relative_to(point)]
    return max(enumerate(holding), key=lambda item: (len(item[1][0]), item[0]))[1][1] if holding else ""


def _mounts() -> list[tuple[str, str]]:
    try:
        lines = Path("/proc/self/mounts").read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    except FileNotFoundError:
        return _read_mount_output(subprocess.check_output(["/sbin/mount"], text=True, timeout=5))
    return [(_unescaped(fields[1]), fields[2]) for line in lines if len(fields := line.split(" ")) > 2]


def _read_mount_output(output: str) -> list[tuple[str, str]]:
    return [(found["point"], found["kind"]) for line in output.splitlines() if (found := _MOUNT_LINE.match(line))]


def _unescaped(point: str) -> str:
    r"""The kernel's table writes blanks and the like as `\040`."""
    return re.sub(r"\\([0-7]{3})", lambda found: chr(int(found[1], 8)), point)
