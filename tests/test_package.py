"""What an installation gets: everything that the program reads lies in the wheel."""

import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"]
ONLY_HERE = {"samples"}
"""Not whole in the wheel: of the samples, what the demo mails."""


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """A folder with the contents of the wheel, as pip unpacks it."""
    source, out = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    for name in ("pyproject.toml", "README.md", "LICENSE", *{p.split(".")[0] for p in PACKAGES}):
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, source / name)
    command = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "--quiet"]
    subprocess.run([*command, "--wheel-dir", out, source], check=True, capture_output=True)
    [wheel] = out.glob("*.whl")
    with zipfile.ZipFile(wheel) as package:
        package.extractall(out / "site")
    return out / "site"


def files(folder):
    found = (path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    return {path for path in found if "__pycache__" not in path.parts}


@pytest.mark.parametrize("package", sorted({p.split(".")[0] for p in PACKAGES} - ONLY_HERE))
def test_every_file_of_a_package_is_in_the_wheel(installed, package):
    assert files(ROOT / package) - files(installed / package) == set()


def test_the_demo_of_an_installation_has_its_samples(installed, tmp_path):
    code = (
        "from ingest.demo import run; samples = list(run.read_samples());"
        "print(run.SAMPLES, len(samples), (run.SAMPLES / 'registry.csv').is_file())"
    )
    told = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={"PYTHONPATH": str(installed)},
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    assert told == f"{installed / 'samples'} 20 True\n"
