"""The CloudEvents SDK against `POST /events`: binary, structured and batch mode, and what is refused.

The test that runs it gives the URL and the app's key in the environment, and looks afterwards at what the events started.
"""

import faulthandler
import json
import os

import requests
from cloudevents.core.bindings.http import to_binary_event, to_structured_event
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent

# Whatever hangs ends, and says where.
faulthandler.dump_traceback_later(300, exit=True)

URL = os.environ["DAYFLY_EVENTS"]
KEY = os.environ["DAYFLY_KEY"]
BATCH = "application/cloudevents-batch+json"


def event(name, data, **more):
    """An event whose subject says how it was sent."""
    attributes = {"type": "order.created", "source": "/till/4", "id": f"id-{name}", "subject": name, "specversion": "1.0"}
    return CloudEvent(attributes={**attributes, **more}, data=data)


def post(message_headers, body, key=KEY):
    headers = dict(message_headers)
    if key is not None:
        headers["authorization"] = f"Bearer {key}"
    return requests.post(URL, headers=headers, data=body, timeout=60)


def refused(answer, status, code):
    assert answer.status_code == status and f"error[{code}]" in answer.text, f"{answer.status_code} {answer.text}"


def taken(answer, *ids):
    assert answer.status_code == 202 and answer.json() == {"ids": list(ids)}, f"{answer.status_code} {answer.text}"


def batch(*events):
    """The SDK has no batch mode of its own: a batch is the list of its structured forms."""
    return b"[" + b",".join(JSONFormat().write(each) for each in events) + b"]"


def main():
    binary = to_binary_event(event("binary", {"total": 1, "gr\u00fc\u00df": "\u2603"}, datacontenttype="application/json", note="a \u00fc \" %"))
    taken(post(binary.headers, binary.body), "id-binary")
    structured = to_structured_event(event("structured", "plain words", datacontenttype="text/plain"))
    taken(post(structured.headers, structured.body), "id-structured")
    raw = to_structured_event(event("bytes", b"\x00\xff\x01", datacontenttype="application/octet-stream"))
    taken(post(raw.headers, raw.body), "id-bytes")
    both = batch(event("batch-1", {"total": 2}, datacontenttype="application/json"), event("batch-2", {"total": 3}, datacontenttype="application/json"))
    taken(post({"content-type": BATCH}, both), "id-batch-1", "id-batch-2")
    by_header = {"content-type": BATCH, "x-api-key": KEY}
    taken(requests.post(URL, headers=by_header, data=batch(event("other-header", {})), timeout=60), "id-other-header")

    refused(post(binary.headers, binary.body, key=None), 401, "E0211")
    refused(post(binary.headers, binary.body, key="wrong"), 401, "E0211")
    refused(post(binary.headers, binary.body, key=KEY[:-1]), 401, "E0211")
    refused(post({"content-type": "application/json"}, b"{}"), 400, "E0411")
    refused(post({"content-type": "application/cloudevents+json"}, b"{nonsense"), 400, "E0411")
    without = {name: value for name, value in binary.headers.items() if name.lower() != "ce-type"}
    refused(post(without, binary.body), 400, "E0411")
    refused(post({**binary.headers, "ce-specversion": "7.0"}, binary.body), 400, "E0411")
    # Of a batch with one that is none, nothing is published.
    lame = json.loads(batch(event("never", {}), event("lame", {})))
    del lame[1]["source"]
    refused(post({"content-type": BATCH}, json.dumps(lame)), 400, "E0411")
    large = to_binary_event(event("large", "x" * (1 << 20), datacontenttype="text/plain"))
    refused(post(large.headers, large.body), 413, "E0614")
    print("as it should be")


main()
