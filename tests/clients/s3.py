"""What the scripts of S3 clients share: where the endpoint is, and saying what went wrong.

The test that runs them gives the endpoint, a key and an empty bucket in the environment, and an empty folder to work in.
"""

import faulthandler
import hashlib
import os
import pathlib
import subprocess
import sys

# Whatever hangs ends, and says where.
faulthandler.dump_traceback_later(900, exit=True)

ENDPOINT = os.environ["DAYFLY_S3"]
BUCKET = os.environ["DAYFLY_BUCKET"]
KEY_ID = os.environ["AWS_ACCESS_KEY_ID"]
SECRET = os.environ["AWS_SECRET_ACCESS_KEY"]
HERE = pathlib.Path.cwd()
MIB = 1 << 20


def same(got, expected, what=""):
    """Fails unless both are the same."""
    assert got == expected, f"{what}: got {got!r}, expected {expected!r}"


def bytes_of(length, seed=0):
    """Bytes that don't repeat, the same for the same seed."""
    out, block = bytearray(), hashlib.sha256(str(seed).encode()).digest()
    while len(out) < length:
        block = hashlib.sha512(block).digest()
        out += block
    return bytes(out[:length])


def run(*command, fails=False):
    """Runs a program; gives what it prints."""
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=300)
    if (done.returncode != 0) != fails:
        print(f"$ {' '.join(map(str, command))}\n{done.stdout}\n{done.stderr}", file=sys.stderr)
        raise AssertionError(f"{command[0]} ended with {done.returncode}")
    return done.stdout + (done.stderr if fails else "")


def tree(folder):
    """The files below a folder and their bytes."""
    folder = pathlib.Path(folder)
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def plant(folder):
    """Files of several sizes under names that are hard to write in URLs."""
    files = {
        "plain.txt": b"hello",
        "empty": b"",
        "deep/er/file.bin": bytes_of(100_000, 1),
        "with space + plus & more.txt": b"names",
        "umlaut-\u00e4\u00f6\u00fc.txt": b"unicode",
        "large.bin": bytes_of(12 * MIB + 17, 2),
    }
    for name, content in files.items():
        path = pathlib.Path(folder) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return files
