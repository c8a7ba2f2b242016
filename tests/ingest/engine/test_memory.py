"""What a thread took for its work is the system's again when it rests."""

import platform
import subprocess
import sys

import pytest

WORK = """
import threading
from pathlib import Path
from argon2 import PasswordHasher
from ingest.engine.memory import give_back, share_heap

def megabytes():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 / 1e6

share_heap()
hasher = PasswordHasher(time_cost=1, memory_cost=19 * 1024, parallelism=1)
known = hasher.hash("secret")
give_back()
before = megabytes()

def work():
    for _ in range(3):
        hasher.verify(known, "secret")

thread = threading.Thread(target=work)
thread.start()
thread.join()
give_back()
print(megabytes() - before)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="other C libraries do it themselves")
def test_what_a_thread_took_is_given_back():
    done = subprocess.run(
        [sys.executable, "-c", WORK], capture_output=True, text=True, check=True, timeout=60
    )
    assert float(done.stdout) < 10
