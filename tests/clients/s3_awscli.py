"""The AWS command line against the S3 endpoint: what people type."""

import json
import sys

import requests

from s3 import BUCKET, ENDPOINT, HERE, plant, run, same, tree


def aws(*words, fails=False):
    return run(sys.executable, "-m", "awscli", "--endpoint-url", ENDPOINT, *words, fails=fails)


source, back = HERE / "source", HERE / "back"
files = plant(source)
same("Completed" in aws("s3", "sync", source, f"s3://{BUCKET}/tree"), True)
listed = aws("s3", "ls", "--recursive", f"s3://{BUCKET}/tree/").splitlines()
same(len(listed), len(files), listed)
same(aws("s3", "sync", source, f"s3://{BUCKET}/tree"), "", "a second sync has nothing to do")
aws("s3", "sync", f"s3://{BUCKET}/tree", back)
same(tree(back) == files, True, "what came back")

(source / "plain.txt").write_bytes(b"changed, and longer")
(source / "empty").unlink()
aws("s3", "sync", "--delete", source, f"s3://{BUCKET}/tree")
same("empty" in aws("s3", "ls", f"s3://{BUCKET}/tree/"), False)

aws("s3", "cp", source / "plain.txt", f"s3://{BUCKET}/one.txt", "--metadata", "a=b")
same(json.loads(aws("s3api", "head-object", "--bucket", BUCKET, "--key", "one.txt"))["Metadata"], {"a": "b"})
aws("s3", "cp", f"s3://{BUCKET}/one.txt", f"s3://{BUCKET}/two.txt")
aws("s3", "mv", f"s3://{BUCKET}/two.txt", f"s3://{BUCKET}/three.txt")
aws("s3", "cp", f"s3://{BUCKET}/three.txt", HERE / "three.txt")
same((HERE / "three.txt").read_bytes(), b"changed, and longer")
same(requests.get(aws("s3", "presign", f"s3://{BUCKET}/three.txt").strip(), timeout=60).content, b"changed, and longer")

for algorithm in ["CRC32", "SHA1", "SHA256", "CRC64NVME"]:
    put = aws("s3api", "put-object", "--bucket", BUCKET, "--key", "sum", "--body", source / "plain.txt", "--checksum-algorithm", algorithm)
    got = aws("s3api", "get-object", "--bucket", BUCKET, "--key", "sum", "--checksum-mode", "ENABLED", HERE / "sum")
    same(json.loads(got)[f"Checksum{algorithm}"], json.loads(put)[f"Checksum{algorithm}"])
aws("s3api", "get-object", "--bucket", BUCKET, "--key", "sum", "--range", "bytes=0-6", HERE / "range")
same((HERE / "range").read_bytes(), b"changed")
same("NoSuchKey" in aws("s3api", "get-object", "--bucket", BUCKET, "--key", "no", HERE / "no", fails=True), True)
same("NoSuchBucket" in aws("s3", "ls", "s3://no-such-bucket", fails=True), True)

aws("s3", "rm", "--recursive", f"s3://{BUCKET}/")
same(aws("s3", "ls", f"s3://{BUCKET}/", fails=False), "")
aws("s3", "mb", "s3://another")
aws("s3", "rb", "s3://another")
print("the AWS command line: as it should be")
