"""What hands out AWS keys inside a cluster: the Pod Identity agent, and an instance's metadata service (IMDSv2)."""

import datetime
import json

import cloud
from cloud import Refused, Reply


class Keys(cloud.Cloud):
    def __init__(self, id, secret, token, pod_token):
        super().__init__()
        expiration = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(hours=1)
        self.keys = {"AccessKeyId": id, "SecretAccessKey": secret, "Token": token, "Expiration": expiration.strftime("%Y-%m-%dT%H:%M:%SZ")}
        self.pod_token = pod_token

    def answer(self, request):
        what = (request.command, request.path)
        if what == ("GET", "/v1/credentials"):
            if request.headers.get("authorization") != self.pod_token:
                raise Refused(401, "Unauthorized", "not the token of a pod")
            return Reply(200, json.dumps(self.keys), "application/json")
        if what == ("PUT", "/latest/api/token"):
            seconds = request.headers["x-aws-ec2-metadata-token-ttl-seconds"]
            return Reply(200, "session", "text/plain", {"x-aws-ec2-metadata-token-ttl-seconds": seconds})
        if request.headers.get("x-aws-ec2-metadata-token") != "session":
            raise Refused(401, "Unauthorized", "IMDSv2 needs a session")
        roles = "/latest/meta-data/iam/security-credentials"
        if what in (("GET", roles), ("GET", roles + "/")):
            return Reply(200, "restarter", "text/plain")
        if what == ("GET", roles + "/restarter"):
            return Reply(200, json.dumps({"Code": "Success", "Type": "AWS-HMAC", **self.keys}), "application/json")
        raise Refused(404, "NotFound", request.path)

    def refusal(self, refused):
        return Reply(refused.status, refused.message, "text/plain")


if __name__ == "__main__":
    cloud.run(Keys)
