"""Makes two snapshots of one volume in moto, and prints their ids."""

import base64
import hashlib
import json
import sys

import boto3

url, region, key, secret = sys.argv[1:]
ebs = boto3.client(
    "ebs", endpoint_url=url, region_name=region, aws_access_key_id=key, aws_secret_access_key=secret
)


def snapshot(blocks):
    made = ebs.start_snapshot(VolumeSize=1)["SnapshotId"]
    for index, byte in sorted(blocks.items()):
        # moto answers that blocks have 512 bytes, so these do.
        data = bytes([byte]) * 512
        ebs.put_snapshot_block(
            SnapshotId=made,
            BlockIndex=index,
            BlockData=data,
            DataLength=len(data),
            Checksum=base64.b64encode(hashlib.sha256(data).digest()).decode(),
            ChecksumAlgorithm="SHA256",
        )
    ebs.complete_snapshot(SnapshotId=made, ChangedBlocksCount=len(blocks))
    return made


base = {index: 1 for index in range(20)}
target = base | {3: 2, 17: 2}
print(json.dumps({"base": snapshot(base), "target": snapshot(target)}))
