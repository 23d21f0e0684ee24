"""Drives the stub as boto3 does, and then as it never would; prints what it saw."""

import base64
import hashlib
import json
import sys
import urllib.parse

import boto3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.exceptions import ClientError
from botocore.httpsession import URLLib3Session

url, region, key, secret, base, target, foreign, unknown = sys.argv[1:]
once = {"retries": {"total_max_attempts": 1}}


def client(secret=secret, **config):
    return boto3.client(
        "ebs",
        endpoint_url=url,
        region_name=region,
        aws_access_key_id=key,
        aws_secret_access_key=secret,
        config=Config(**once, **config),
    )


ebs = client()


def refusal(call, **arguments):
    try:
        call(**arguments)
    except ClientError as error:
        answer = error.response
        return [answer["ResponseMetadata"]["HTTPStatusCode"], answer["Error"]["Code"], answer.get("Reason")]
    raise AssertionError(f"nothing refused {arguments}")


def pages(list, blocks, **arguments):
    """All pages, as the guide says that they are to be followed."""
    found, count, token = [], 0, {}
    while True:
        page = list(**arguments, **token)
        assert page["VolumeSize"] == 1 and page["BlockSize"] == 524288 and page["ExpiryTime"].year > 2000, page
        found += page[blocks]
        count += 1
        if "NextToken" not in page:
            return found, count
        token = {"NextToken": page["NextToken"]}


def raw(path, query=(), method="GET", headers=None, body=b"", service="ebs", sign=True):
    """A request that is signed as it is, whatever it is."""
    query = "&".join(f"{name}={urllib.parse.quote(value, safe='')}" for name, value in query)
    request = AWSRequest(method, f"{url}{path}" + (f"?{query}" if query else ""), headers=headers or {}, data=body)
    if sign:
        SigV4Auth(Credentials(key, secret), service, region).add_auth(request)
    answer = URLLib3Session().send(request.prepare())
    return [answer.status_code, answer.headers.get("x-amzn-errortype")]


allocated, allocated_pages = pages(ebs.list_snapshot_blocks, "Blocks", SnapshotId=target, MaxResults=100)
changed, changed_pages = pages(
    ebs.list_changed_blocks, "ChangedBlocks", FirstSnapshotId=base, SecondSnapshotId=target, MaxResults=100
)
last = allocated[-1]
block = ebs.get_snapshot_block(SnapshotId=target, BlockIndex=last["BlockIndex"], BlockToken=last["BlockToken"])
data = block["BlockData"].read()
assert len(data) == block["DataLength"] == 524288
assert block["ChecksumAlgorithm"] == "SHA256"
assert base64.b64encode(hashlib.sha256(data).digest()).decode() == block["Checksum"]

first = ebs.list_snapshot_blocks(SnapshotId=target, MaxResults=100)
token = first["NextToken"]
lax = client(parameter_validation=False)
list_path = f"/snapshots/{target}/blocks"

print(
    json.dumps(
        {
            "allocated": [entry["BlockIndex"] for entry in allocated],
            "allocated_pages": allocated_pages,
            "changed": [
                [entry["BlockIndex"], "FirstBlockToken" in entry, "SecondBlockToken" in entry] for entry in changed
            ],
            "changed_pages": changed_pages,
            "seek": [
                entry["BlockIndex"]
                for entry in ebs.list_snapshot_blocks(SnapshotId=target, StartingBlockIndex=1001)["Blocks"][:2]
            ],
            # NextToken counts, StartingBlockIndex does not.
            "both": [
                entry["BlockIndex"]
                for entry in ebs.list_snapshot_blocks(SnapshotId=target, NextToken=token, StartingBlockIndex=0)["Blocks"][:1]
            ],
            "refusals": {
                "unknown": refusal(ebs.list_snapshot_blocks, SnapshotId=unknown),
                "unrelated": refusal(ebs.list_changed_blocks, FirstSnapshotId=foreign, SecondSnapshotId=target),
                "one snapshot": refusal(ebs.list_changed_blocks, SecondSnapshotId=target),
                "page token": refusal(ebs.list_snapshot_blocks, SnapshotId=target, NextToken="AAAA"),
                "page token of another list": refusal(ebs.list_snapshot_blocks, SnapshotId=base, NextToken=token),
                "block token": refusal(ebs.get_snapshot_block, SnapshotId=target, BlockIndex=0, BlockToken="AAAA"),
                "block token of another block": refusal(
                    ebs.get_snapshot_block, SnapshotId=target, BlockIndex=1, BlockToken=allocated[0]["BlockToken"]
                ),
                "block token of another snapshot": refusal(
                    ebs.get_snapshot_block, SnapshotId=base, BlockIndex=0, BlockToken=allocated[0]["BlockToken"]
                ),
                "secret": refusal(client(secret="wrong").list_snapshot_blocks, SnapshotId=target),
                "few": refusal(lax.list_snapshot_blocks, SnapshotId=target, MaxResults=99),
                "many": refusal(lax.list_snapshot_blocks, SnapshotId=target, MaxResults=10001),
                "negative": refusal(lax.list_snapshot_blocks, SnapshotId=target, StartingBlockIndex=-1),
                "no id": refusal(lax.list_snapshot_blocks, SnapshotId="vol-0123"),
            },
            "raw": {
                "good": raw(list_path, [("maxResults", "100"), ("pageToken", token)]),
                "unsigned": raw(list_path, sign=False),
                "of another service": raw(list_path, service="ec2"),
                "unknown parameter": raw(list_path, [("maxresults", "100")]),
                "parameter twice": raw(list_path, [("maxResults", "100"), ("maxResults", "100")]),
                "odd number": raw(list_path, [("maxResults", "0100")]),
                "unknown header": raw(list_path, headers={"x-amz-foo": "bar"}),
                "body": raw(list_path, body=b"{}"),
                "method": raw(list_path, method="POST"),
                "path": raw(f"/snapshots/{target}"),
                "trailing slash": raw(list_path + "/"),
                "block without token": raw(list_path + "/0"),
            },
        }
    )
)
