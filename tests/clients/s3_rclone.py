"""rclone against the S3 endpoint: a folder there and back, and compared."""

from s3 import BUCKET, ENDPOINT, HERE, KEY_ID, SECRET, bytes_of, plant, run, same, tree

config = HERE / "rclone.conf"
config.write_text(
    f"[node]\ntype = s3\nprovider = Other\nendpoint = {ENDPOINT}\naccess_key_id = {KEY_ID}\nsecret_access_key = {SECRET}\n"
    "region = us-east-1\nforce_path_style = true\nupload_cutoff = 5Mi\nchunk_size = 5Mi\n"
)


def rclone(*words, fails=False):
    return run("rclone", "--config", config, "--retries", "1", "--low-level-retries", "2", *words, fails=fails)


source, back = HERE / "source", HERE / "back"
files = plant(source)
rclone("sync", source, f"node:{BUCKET}/tree")
rclone("check", source, f"node:{BUCKET}/tree")
rclone("check", "--download", source, f"node:{BUCKET}/tree")
rclone("sync", f"node:{BUCKET}/tree", back)
same(tree(back) == files, True, "what came back")

(source / "plain.txt").write_bytes(b"changed")
(source / "deep/er/file.bin").unlink()
(source / "more.bin").write_bytes(bytes_of(3000, 9))
rclone("check", source, f"node:{BUCKET}/tree", fails=True)
rclone("sync", source, f"node:{BUCKET}/tree")
rclone("check", source, f"node:{BUCKET}/tree")
rclone("sync", f"node:{BUCKET}/tree", back)
same(tree(back) == tree(source), True, "what came back after changes")

same("tree/" in rclone("lsf", f"node:{BUCKET}"), True)
rclone("copyto", f"node:{BUCKET}/tree/plain.txt", f"node:{BUCKET}/copied.txt")
same(rclone("cat", f"node:{BUCKET}/copied.txt"), "changed")
rclone("moveto", f"node:{BUCKET}/copied.txt", f"node:{BUCKET}/moved.txt")
rclone("mkdir", "node:by-rclone")
rclone("rmdir", "node:by-rclone")
rclone("purge", f"node:{BUCKET}/tree")
rclone("delete", f"node:{BUCKET}")
same(rclone("lsf", f"node:{BUCKET}"), "")
print("rclone: as it should be")
