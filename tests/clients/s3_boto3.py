"""boto3 against the S3 endpoint: everything an application does with it, and the errors it acts on."""

import base64
import datetime
import hashlib
import io
import urllib.error
import urllib.request

import boto3
import requests
from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from botocore.exceptions import ClientError

from s3 import BUCKET, ENDPOINT, HERE, MIB, bytes_of, same


def client(**config):
    config = Config(s3={"addressing_style": "path"}, retries={"max_attempts": 2}, signature_version="s3v4", **config)
    return boto3.client("s3", endpoint_url=ENDPOINT, region_name="us-east-1", config=config)


s3 = client()


def fails(codes, call, **arguments):
    """The call fails with one of these codes."""
    try:
        call(**arguments)
    except ClientError as error:
        assert error.response["Error"]["Code"] in codes.split("|"), f"{error.response}"
        return error.response
    raise AssertionError(f"{call} did not fail with {codes}")


def whole_objects():
    put = s3.put_object(
        Bucket=BUCKET, Key="dir/a b+\u00fc.txt", Body=b"hello", ContentType="text/plain", Metadata={"who": "me"},
        CacheControl="max-age=1", Tagging="a=1&b=two%20words",
    )
    same(put["ETag"], '"5d41402abc4b2a76b9719d911017c592"')
    got = s3.get_object(Bucket=BUCKET, Key="dir/a b+\u00fc.txt")
    same(got["Body"].read(), b"hello")
    same((got["ContentType"], got["Metadata"], got["CacheControl"], got["TagCount"]), ("text/plain", {"who": "me"}, "max-age=1", 2))
    head = s3.head_object(Bucket=BUCKET, Key="dir/a b+\u00fc.txt")
    same((head["ContentLength"], head["ETag"]), (5, put["ETag"]))
    assert abs((datetime.datetime.now(datetime.timezone.utc) - head["LastModified"]).total_seconds()) < 300
    same(s3.get_object(Bucket=BUCKET, Key="dir/a b+\u00fc.txt", Range="bytes=1-2")["Body"].read(), b"el")
    fails("InvalidRange", s3.get_object, Bucket=BUCKET, Key="dir/a b+\u00fc.txt", Range="bytes=9-")
    fails("NoSuchKey", s3.get_object, Bucket=BUCKET, Key="absent")
    fails("404", s3.head_object, Bucket=BUCKET, Key="absent")
    fails("NoSuchBucket", s3.list_objects_v2, Bucket="absent-bucket")
    attributes = s3.get_object_attributes(Bucket=BUCKET, Key="dir/a b+\u00fc.txt", ObjectAttributes=["ETag", "ObjectSize", "Checksum"])
    same((attributes["ObjectSize"], attributes["ETag"].strip('"')), (5, put["ETag"].strip('"')))


def conditions():
    etag = s3.put_object(Bucket=BUCKET, Key="cond", Body=b"1", IfNoneMatch="*")["ETag"]
    fails("PreconditionFailed", s3.put_object, Bucket=BUCKET, Key="cond", Body=b"2", IfNoneMatch="*")
    fails("PreconditionFailed", s3.put_object, Bucket=BUCKET, Key="cond", Body=b"2", IfMatch='"0"')
    fails("304", s3.get_object, Bucket=BUCKET, Key="cond", IfNoneMatch=etag)
    fails("PreconditionFailed", s3.get_object, Bucket=BUCKET, Key="cond", IfMatch='"0"')
    s3.put_object(Bucket=BUCKET, Key="cond", Body=b"2", IfMatch=etag)


def checksums():
    for algorithm in ["CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256"]:
        key, field = f"sum-{algorithm}", f"Checksum{algorithm}"
        put = s3.put_object(Bucket=BUCKET, Key=key, Body=b"123456789", ChecksumAlgorithm=algorithm)
        got = s3.get_object(Bucket=BUCKET, Key=key, ChecksumMode="ENABLED")
        same(got["Body"].read(), b"123456789")
        same(got[field], put[field], algorithm)
        wrong = base64.b64encode(bytes(len(base64.b64decode(put[field])))).decode()
        fails("BadDigest", s3.put_object, Bucket=BUCKET, Key=f"{key}-bad", Body=b"123456789", **{field: wrong})
        fails("404", s3.head_object, Bucket=BUCKET, Key=f"{key}-bad")
    md5 = base64.b64encode(hashlib.md5(b"other").digest()).decode()
    fails("BadDigest", s3.put_object, Bucket=BUCKET, Key="bad", Body=b"this", ContentMD5=md5)

    def corrupt(request, **_):
        request.body = b"123456780"

    changed = client()
    changed.meta.events.register("before-send.s3.PutObject", corrupt)
    fails("BadDigest|XAmzContentSHA256Mismatch", changed.put_object, Bucket=BUCKET, Key="bad", Body=b"123456789")
    fails("404", s3.head_object, Bucket=BUCKET, Key="bad")


def parts():
    content = bytes_of(21 * MIB + 5, 3)
    config = TransferConfig(multipart_threshold=8 * MIB, multipart_chunksize=5 * MIB, max_concurrency=4)
    s3.upload_fileobj(io.BytesIO(content), BUCKET, "large", Config=config, ExtraArgs={"Metadata": {"m": "1"}})
    head = s3.head_object(Bucket=BUCKET, Key="large")
    assert head["ETag"].endswith('-5"'), head
    same((head["ContentLength"], head["Metadata"]), (len(content), {"m": "1"}))
    s3.download_file(BUCKET, "large", str(HERE / "large"), Config=config)
    same((HERE / "large").read_bytes() == content, True, "what was downloaded in ranges")
    s3.copy({"Bucket": BUCKET, "Key": "large"}, BUCKET, "large-copy", Config=config)
    same(s3.get_object(Bucket=BUCKET, Key="large-copy")["Body"].read() == content, True, "what was copied in parts")

    for algorithm, kind in [("SHA256", "COMPOSITE"), ("CRC32", "COMPOSITE"), ("CRC32C", "FULL_OBJECT"), ("CRC64NVME", "FULL_OBJECT")]:
        field = f"Checksum{algorithm}"
        upload = s3.create_multipart_upload(Bucket=BUCKET, Key="parts", ChecksumAlgorithm=algorithm, ChecksumType=kind)["UploadId"]
        named = {"Bucket": BUCKET, "Key": "parts", "UploadId": upload}
        done = []
        for number, part in enumerate([content[: 5 * MIB], content[5 * MIB : 6 * MIB]], 1):
            answer = s3.upload_part(**named, PartNumber=number, Body=part, ChecksumAlgorithm=algorithm)
            done.append({"PartNumber": number, "ETag": answer["ETag"], field: answer[field]})
        same([part[field] for part in s3.list_parts(**named)["Parts"]], [part[field] for part in done], algorithm)
        fails("InvalidPart", s3.complete_multipart_upload, **named, MultipartUpload={"Parts": [{**done[0], field: done[1][field]}]})
        whole = s3.complete_multipart_upload(**named, MultipartUpload={"Parts": done}, ChecksumType=kind)
        same(whole["ChecksumType"], kind)
        if kind == "FULL_OBJECT":
            alone = s3.put_object(Bucket=BUCKET, Key="alone", Body=content[: 6 * MIB], ChecksumAlgorithm=algorithm)
            same(whole[field], alone[field], "a checksum of parts is that of all bytes")
        got = s3.get_object(Bucket=BUCKET, Key="parts", ChecksumMode="ENABLED")
        same(got["Body"].read() == content[: 6 * MIB], True, algorithm)

    upload = s3.create_multipart_upload(Bucket=BUCKET, Key="small")["UploadId"]
    named = {"Bucket": BUCKET, "Key": "small", "UploadId": upload}
    small = [{"PartNumber": n, "ETag": s3.upload_part(**named, PartNumber=n, Body=b"x")["ETag"]} for n in (1, 2)]
    fails("EntityTooSmall", s3.complete_multipart_upload, **named, MultipartUpload={"Parts": small})
    fails("InvalidPartOrder", s3.complete_multipart_upload, **named, MultipartUpload={"Parts": small[::-1]})
    same([u["Key"] for u in s3.list_multipart_uploads(Bucket=BUCKET)["Uploads"]], ["small"])
    s3.abort_multipart_upload(**named)
    fails("NoSuchUpload", s3.upload_part, **named, PartNumber=1, Body=b"x")


def fetch(url, method="GET", body=None):
    try:
        with urllib.request.urlopen(urllib.request.Request(url, method=method, data=body)) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def links():
    put = s3.generate_presigned_url("put_object", Params={"Bucket": BUCKET, "Key": "by link \u00fc"}, ExpiresIn=60)
    same(fetch(put, "PUT", b"linked")[0], 200)
    get = s3.generate_presigned_url(
        "get_object", Params={"Bucket": BUCKET, "Key": "by link \u00fc", "ResponseContentType": "image/png"}, ExpiresIn=60
    )
    same(fetch(get), (200, b"linked"))
    same(requests.get(get, timeout=60).headers["content-type"], "image/png")
    same(fetch(get.replace("X-Amz-Expires=60", "X-Amz-Expires=61"))[0], 403)
    same(fetch(f"{ENDPOINT}/{BUCKET}/large")[0], 403)
    # What boto3 makes of its own accord in this region is the older kind of link.
    plain = boto3.client("s3", endpoint_url=ENDPOINT, region_name="us-east-1")
    older = plain.generate_presigned_url("get_object", Params={"Bucket": BUCKET, "Key": "by link \u00fc"}, ExpiresIn=60)
    assert "AWSAccessKeyId" in older, older
    same(fetch(older), (200, b"linked"))
    same(fetch(older, "PUT", b"x")[0], 403)
    later = plain.generate_presigned_url("get_object", Params={"Bucket": BUCKET, "Key": "by link \u00fc"}, ExpiresIn=8 * 24 * 3600)
    same(fetch(later)[0], 403)
    form = s3.generate_presigned_post(BUCKET, "form/f.txt", Conditions=[["content-length-range", 1, 10]], ExpiresIn=60)
    posted = requests.post(form["url"], data=form["fields"], files={"file": ("f.txt", b"by form")}, timeout=60)
    same(posted.status_code, 204, posted.text)
    same(s3.get_object(Bucket=BUCKET, Key="form/f.txt")["Body"].read(), b"by form")
    other = requests.post(form["url"], data={**form["fields"], "key": "form/other"}, files={"file": b"by form"}, timeout=60)
    assert other.status_code in (400, 403) and "form/other" in other.text, other.text
    posted = requests.post(form["url"], data=form["fields"], files={"file": ("g.txt", b"more than ten bytes")}, timeout=60)
    assert posted.status_code in (400, 403), posted.text


def listings():
    for n in range(25):
        s3.put_object(Bucket=BUCKET, Key=f"list/{n % 3}/{n:02}", Body=b"")
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix="list/", PaginationConfig={"PageSize": 7})
    keys = [entry["Key"] for page in pages for entry in page["Contents"]]
    same((len(keys), keys), (25, sorted(keys)))
    grouped = s3.list_objects(Bucket=BUCKET, Prefix="list/", Delimiter="/", EncodingType="url")
    same([group["Prefix"] for group in grouped["CommonPrefixes"]], ["list/0/", "list/1/", "list/2/"])
    gone = s3.delete_objects(Bucket=BUCKET, Delete={"Objects": [{"Key": key} for key in keys]})
    same((len(gone["Deleted"]), gone.get("Errors")), (25, None))
    same(s3.list_objects_v2(Bucket=BUCKET, Prefix="list/")["KeyCount"], 0)


def copies_and_tags():
    s3.put_object(Bucket=BUCKET, Key="src", Body=b"src", Metadata={"a": "1"}, Tagging="t=1")
    s3.copy_object(Bucket=BUCKET, Key="kept", CopySource={"Bucket": BUCKET, "Key": "src"})
    same(s3.head_object(Bucket=BUCKET, Key="kept")["Metadata"], {"a": "1"})
    s3.copy_object(Bucket=BUCKET, Key="new", CopySource=f"{BUCKET}/src", MetadataDirective="REPLACE", Metadata={"b": "2"})
    same(s3.head_object(Bucket=BUCKET, Key="new")["Metadata"], {"b": "2"})
    same(s3.get_object_tagging(Bucket=BUCKET, Key="new")["TagSet"], [{"Key": "t", "Value": "1"}])
    s3.put_object_tagging(Bucket=BUCKET, Key="new", Tagging={"TagSet": [{"Key": "x", "Value": "y"}]})
    same(s3.get_object_tagging(Bucket=BUCKET, Key="new")["TagSet"], [{"Key": "x", "Value": "y"}])
    s3.delete_object_tagging(Bucket=BUCKET, Key="new")
    same(s3.get_object_tagging(Bucket=BUCKET, Key="new")["TagSet"], [])


def settings_and_versions():
    bucket = "versioned"
    s3.create_bucket(Bucket=bucket)
    fails("BucketAlreadyOwnedByYou", s3.create_bucket, Bucket=bucket)
    assert bucket in [entry["Name"] for entry in s3.list_buckets()["Buckets"]]
    same(s3.get_bucket_location(Bucket=bucket)["LocationConstraint"], None)
    rule = {"AllowedOrigins": ["https://*.example"], "AllowedMethods": ["GET", "PUT"], "AllowedHeaders": ["*"], "MaxAgeSeconds": 9}
    s3.put_bucket_cors(Bucket=bucket, CORSConfiguration={"CORSRules": [rule]})
    same(s3.get_bucket_cors(Bucket=bucket)["CORSRules"], [rule])
    s3.delete_bucket_cors(Bucket=bucket)
    fails("NoSuchCORSConfiguration", s3.get_bucket_cors, Bucket=bucket)
    rules = [{"ID": "old", "Status": "Enabled", "Filter": {"Prefix": "tmp/"}, "Expiration": {"Days": 3}}]
    s3.put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration={"Rules": rules})
    same(s3.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"], rules)
    s3.delete_bucket_lifecycle(Bucket=bucket)
    s3.put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": [{"Key": "k", "Value": "v"}]})
    same(s3.get_bucket_tagging(Bucket=bucket)["TagSet"], [{"Key": "k", "Value": "v"}])

    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    same(s3.get_bucket_versioning(Bucket=bucket)["Status"], "Enabled")
    first = s3.put_object(Bucket=bucket, Key="k", Body=b"1")["VersionId"]
    s3.put_object(Bucket=bucket, Key="k", Body=b"2")
    marker = s3.delete_object(Bucket=bucket, Key="k")
    same(marker["DeleteMarker"], True)
    fails("NoSuchKey", s3.get_object, Bucket=bucket, Key="k")
    same(s3.get_object(Bucket=bucket, Key="k", VersionId=first)["Body"].read(), b"1")
    pages = s3.get_paginator("list_object_versions").paginate(Bucket=bucket, PaginationConfig={"PageSize": 1})
    entries = [e for page in pages for e in page.get("Versions", []) + page.get("DeleteMarkers", [])]
    same((len(entries), [e["VersionId"] for e in entries if e["IsLatest"]]), (3, [marker["VersionId"]]))
    fails("BucketNotEmpty", s3.delete_bucket, Bucket=bucket)
    s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": e["Key"], "VersionId": e["VersionId"]} for e in entries]})
    s3.delete_bucket(Bucket=bucket)
    fails("404", s3.head_bucket, Bucket=bucket)


def strangers():
    stranger = boto3.client(
        "s3", endpoint_url=ENDPOINT, region_name="us-east-1", aws_access_key_id="AKSTRANGER", aws_secret_access_key="x"
    )
    fails("InvalidAccessKeyId", stranger.list_buckets)
    wrong = boto3.client("s3", endpoint_url=ENDPOINT, region_name="us-east-1", aws_secret_access_key="x",
                         aws_access_key_id=s3._request_signer._credentials.access_key)
    fails("SignatureDoesNotMatch", wrong.list_buckets)


for case in [whole_objects, conditions, checksums, parts, links, listings, copies_and_tags, settings_and_versions, strangers]:
    case()
    print(f"{case.__name__}: as it should be")
