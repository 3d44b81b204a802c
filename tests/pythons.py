"""`make pythons`: the tests that need no browser, on newer Pythons than the one that runs this.

Each comes from a release of Debian, which debootstrap unpacks into a temporary folder: as root, from the mirror that
apt is set up with, with the index and the certificates that pip is set up with. What is tested is what is committed.
Every command there has mounts and processes of its own, which end with it, however it ends. The last lines say what
came of each Python; only where this machine cannot do it at all (FORGIVEN) is it no failure that the tests did not run.

Only the standard library.
"""

from __future__ import annotations

import ast
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

__all__ = ["main"]

ROOT = Path(__file__).resolve().parent.parent
NODE_MODULES = Path("tests", "node", "node_modules")
RELEASES = {"3.13": "trixie", "3.14": "forky"}
PACKAGES = "ca-certificates,git,libgomp1,make,nodejs,python3-venv"  # libgomp1: of llama.cpp
SCRIPTS = Path("/usr/share/debootstrap/scripts")
CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")
MAKING_SECONDS = 900
FORGIVEN = ("not root", "no mount", "no mirror")

PIP_SETTINGS = {"cert", "extra-index-url", "index-url", "proxy", "retries", "timeout", "trusted-host"}
"""Those that say where packages come from; others are about this machine's own Python."""
PROXIES = ("all_proxy", "ftp_proxy", "http_proxy", "https_proxy", "no_proxy")

SOURCE = Path("checkout", "src")  # below the root there; a test looks for the name of its folder in all files

NAMESPACES = ("unshare", "--mount", "--pid", "--fork", "--kill-child")
MOUNTS = (
    'mount --bind "$0" "$0"',  # what is / there is a mount, as everywhere
    'mount -t proc proc "$0/proc"',
    'mount --bind /dev "$0/dev"',
    'mount --bind /dev/pts "$0/dev/pts"',
)
PREPARE = "python3 -m venv .venv && .venv/bin/python -m pip install -qq --editable '.[test]'"
TEST = (
    ".venv/bin/python -m pytest --numprocesses=auto --dist=loadfile --quiet -m 'not browser and not oldest and not tex'"
)


@dataclass
class Place:
    """A Python in a folder of its own.

    Attributes:
        reason: why its tests cannot run; "" as long as they can.
        counts: what pytest counted, by "passed", "failed" and the like.
    """

    python: str
    folder: Path
    reason: str = ""
    counts: dict[str, int] | None = None

    @property
    def release(self) -> str:
        return RELEASES[self.python]

    @property
    def root(self) -> Path:
        return self.folder / self.release

    @property
    def ok(self) -> bool:
        return self.reason in FORGIVEN or (self.counts or {}).keys() == {"passed"}

    def __str__(self) -> str:
        counted = ", ".join(f"{number} {what}" for what, number in (self.counts or {}).items())
        return f"Python {self.python}: {counted or f'not run: {self.reason}'}"


def main() -> int:
    """Run them all, say what came of each, return the exit status."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # the folder goes away then, too
    with tempfile.TemporaryDirectory(prefix="jmuz-pythons-", dir="/var/tmp") as folder:
        places = [Place(python, Path(folder)) for python in RELEASES]
        try_all(places, Path(folder))
    for place in places:
        print(place)
    return 0 if all(place.ok for place in places) else 1


def try_all(places: list[Place], folder: Path) -> None:
    """Make the places at the same time, each being work for one core; test in one after another, on all cores."""
    mirror = ""
    if reason := why_not(folder) or ("" if (mirror := usable_mirror(folder)) else "no mirror"):
        for place in places:
            place.reason = reason
        return
    environment = settings()
    together(places, "debootstrap", lambda place: unpacking(place, mirror), os.environ)
    for place in well(places):
        fill(place)
    together(places, "pip install", lambda place: inside(place, PREPARE), environment)
    for place in well(places):
        place.counts = tested(place, environment)


def why_not(folder: Path) -> str:
    if os.geteuid() != 0:
        return "not root"
    if not succeeds(*NAMESPACES, "mount", "-t", "proc", "proc", str(folder)):
        return "no mount"
    return "" if shutil.which("debootstrap") else "debootstrap is not installed"


def usable_mirror(folder: Path) -> str:
    """The address of Debian's packages, as apt is set up here; "" if it cannot be reached or has not all releases."""
    command = ["apt-get", "indextargets", "--format", "$(LABEL) $(REPO_URI)", "Created-By: Packages"]
    if not shutil.which("apt-get"):
        return ""
    listed = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    found = dict.fromkeys(line.rpartition(" ")[2] for line in listed.splitlines() if line.startswith(("Debian ", " ")))
    return next((mirror for mirror in found if all(has(mirror, each, folder) for each in RELEASES.values())), "")


def has(mirror: str, release: str, folder: Path) -> bool:
    """Ask as apt does, with its proxies and certificates."""
    file = f"{mirror}dists/{release}/InRelease"
    return succeeds("/usr/lib/apt/apt-helper", "download-file", file, str(folder / "InRelease"))


def succeeds(*command: str) -> bool:
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def settings() -> dict[str, str]:
    """The variables of everything that runs in a place."""
    own = {
        "HOME": "/root",
        "LANG": "C.UTF-8",
        "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "SSL_CERT_FILE": str(CERTIFICATES),
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    }
    data = {"JMUZ_TEST_DATA": "/data"} if os.environ.get("JMUZ_TEST_DATA") else {}
    proxies = {name: os.environ[name] for each in PROXIES for name in (each, each.upper()) if name in os.environ}
    return {**own, **data, **proxies, **pip_settings()}


def pip_settings() -> dict[str, str]:
    """Where pip finds packages on this machine, as variables for it."""
    command = [sys.executable, "-m", "pip", "config", "list"]
    listed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    found = {}
    for line in sorted(listed.splitlines(), reverse=True):  # `:env:` is the last, and rules
        name, _, value = line.partition("=")
        words = [word for word in str(ast.literal_eval(value)).split() if not word.startswith("file:")]
        if (setting := name.rpartition(".")[2].removeprefix("default-")) in PIP_SETTINGS and words:
            found[f"PIP_{setting.upper().replace('-', '_')}"] = " ".join(words)
    return {**found, "PIP_CERT": str(CERTIFICATES)} if "PIP_CERT" in found else found


def together(
    places: list[Place], what: str, command: Callable[[Place], list[str]], environment: Mapping[str, str]
) -> None:
    """Run a command for each place that is well, all at the same time; where it fails, no tests can run."""
    running = {}
    try:
        for place in well(places):
            with (place.folder / f"{place.release}.log").open("w") as log:
                running[place.python] = subprocess.Popen(
                    command(place), env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log
                )
        for place in well(places):
            if running[place.python].wait(MAKING_SECONDS):
                lines = (place.folder / f"{place.release}.log").read_text(errors="replace").split("\n")
                print("\n".join(lines[-40:]))
                place.reason = f"{what} failed"
    finally:
        for process in running.values():
            process.kill()


def well(places: list[Place]) -> list[Place]:
    return [place for place in places if not place.reason]


def unpacking(place: Place, mirror: str) -> list[str]:
    known = [] if (SCRIPTS / place.release).exists() else [str(SCRIPTS / "sid")]  # younger than this debootstrap
    options = ["--variant=minbase", f"--include={PACKAGES}"]
    return [*NAMESPACES, "debootstrap", *options, place.release, str(place.root), mirror, *known]


def fill(place: Place) -> None:
    """Copy there what is tested, what the tests need of this machine, and how it reaches a network."""
    if not (place.root / "usr" / "bin" / f"python{place.python}").exists():
        place.reason = f"Debian {place.release} has another Python now"
        return
    subprocess.run(["git", "clone", "--quiet", ROOT, place.root / SOURCE], check=True)
    for file in (Path("/etc/hosts"), Path("/etc/resolv.conf"), CERTIFICATES):
        if file.exists():
            shutil.copyfile(file, place.root / file.relative_to("/"))
    if (ROOT / NODE_MODULES).is_dir():
        shutil.copytree(ROOT / NODE_MODULES, place.root / SOURCE / NODE_MODULES, symlinks=True)
    if data := os.environ.get("JMUZ_TEST_DATA"):
        shutil.copytree(data, place.root / "data")


def inside(place: Place, command: str) -> list[str]:
    """A command of the shell there, in the folder of the source."""
    script = " && ".join([*MOUNTS, 'exec chroot "$0" sh -c "cd /$2 && $1"'])
    return [*NAMESPACES, "sh", "-c", script, str(place.root), command, str(SOURCE)]


def tested(place: Place, environment: Mapping[str, str]) -> dict[str, int]:
    """Run the tests, and show their output; what the last line counts."""
    print(f"\n== Python {place.python}, Debian {place.release}", flush=True)
    last = ""
    with subprocess.Popen(
        inside(place, TEST), env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True
    ) as running:
        assert running.stdout is not None
        for line in running.stdout:
            print(line, end="", flush=True)
            last = line if re.search(r" in \d+\.\d+s\b", line) else last
    found = re.findall(r"(\d+) (failed|passed|skipped|errors?|xpassed)\b", last)
    return {what: int(number) for number, what in found} or {"errors": 1}


if __name__ == "__main__":
    sys.exit(main())
