"""s3cmd against the S3 endpoint."""

from s3 import BUCKET, ENDPOINT, HERE, KEY_ID, SECRET, plant, run, same, tree

host = ENDPOINT.removeprefix("http://")
config = HERE / "s3cfg"
config.write_text(
    f"[default]\naccess_key = {KEY_ID}\nsecret_key = {SECRET}\nhost_base = {host}\nhost_bucket = {host}\nuse_https = False\n"
    "bucket_location = us-east-1\nmultipart_chunk_size_mb = 5\nsignature_v2 = False\n"
)


def s3cmd(*words, fails=False):
    return run("s3cmd", "--config", config, "--no-progress", *words, fails=fails)


source, back = HERE / "source", HERE / "back"
files = plant(source)
back.mkdir()
s3cmd("sync", f"{source}/", f"s3://{BUCKET}/tree/")
same(len(s3cmd("ls", "--recursive", f"s3://{BUCKET}/tree/").splitlines()), len(files))
s3cmd("sync", f"s3://{BUCKET}/tree/", f"{back}/")
same(tree(back) == files, True, "what came back")

(source / "plain.txt").write_bytes(b"changed")
(source / "empty").unlink()
s3cmd("sync", "--delete-removed", f"{source}/", f"s3://{BUCKET}/tree/")
s3cmd("sync", "--delete-removed", f"s3://{BUCKET}/tree/", f"{back}/")
same(tree(back) == tree(source), True, "what came back after changes")

s3cmd("put", "--add-header=x-amz-meta-a:b", source / "plain.txt", f"s3://{BUCKET}/one.txt")
s3cmd("cp", f"s3://{BUCKET}/one.txt", f"s3://{BUCKET}/two.txt")
s3cmd("get", f"s3://{BUCKET}/two.txt", HERE / "two.txt")
same((HERE / "two.txt").read_bytes(), b"changed")
wrong = s3cmd("get", f"s3://{BUCKET}/absent", HERE / "absent", fails=True)
assert "does not exist" in wrong or "404" in wrong, wrong
s3cmd("del", "--recursive", "--force", f"s3://{BUCKET}/")
same(s3cmd("ls", f"s3://{BUCKET}/"), "")
s3cmd("mb", "s3://by-s3cmd")
s3cmd("rb", "s3://by-s3cmd")
print("s3cmd: as it should be")
