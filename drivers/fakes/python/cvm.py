"""Tencent Cloud's CVM and STS, as far as restarting an instance goes: strict, and able to fail.

Requests are read and answers written by the models of the official SDK, so a parameter that the API does not have is
refused here, too. That the signature is judged rightly is shown by that SDK, which drives this file first.
"""

import hashlib
import hmac
import json
import re
import time
import uuid
import warnings
from datetime import datetime, timezone

from tencentcloud.cvm.v20170312 import models as cvm
from tencentcloud.sts.v20180813 import models as sts

import cloud
from cloud import Refused, Reply

VERSIONS = {"cvm": "2017-03-12", "sts": "2018-08-13"}
ACTIONS = {
    "DescribeInstances": ("cvm", cvm.DescribeInstancesRequest, cvm.DescribeInstancesResponse),
    "RebootInstances": ("cvm", cvm.RebootInstancesRequest, cvm.RebootInstancesResponse),
    "AssumeRoleWithWebIdentity": ("sts", sts.AssumeRoleWithWebIdentityRequest, sts.AssumeRoleWithWebIdentityResponse),
}
AUTHORIZATION = re.compile(
    r"TC3-HMAC-SHA256 Credential=([^/]+)/(\d{4}-\d\d-\d\d)/(\w+)/tc3_request, SignedHeaders=([a-z0-9;-]+), Signature=([0-9a-f]{64})"
)
REGION = re.compile(r"[a-z]+(-[a-z]+)+")
#: How long a reboot takes.
PASSING = 0.5


class Tencent(cloud.Cloud):
    REFUSALS = {
        "Throttled": (200, "RequestLimitExceeded", "Your current request times equals to 11 in a second, which exceeds the frequency limit 10."),
        "Forbidden": (200, "UnauthorizedOperation", "You are not authorized to perform this operation. Check your CAM policies."),
        "Broken": (500, "InternalError", "An internal error has occurred."),
        "FailedOperation": (200, "InternalServerError", "Internal server error."),
    }

    def __init__(self):
        super().__init__()
        self.keys, self.roles, self.instances, self.tokens = {}, {}, {}, 0

    # === the hand ===

    def do_key(self, id, secret, token=None):
        self.keys[id] = (secret, token)

    def do_role(self, arn, provider, token):
        """A role that the owner of a service account's token may take."""
        self.roles[arn] = (provider, token)

    def do_instance(self, id, region="ap-beijing", address="10.0.0.1", name="worker-1"):
        self.instances[id] = {"region": region, "address": address, "name": name, "state": "RUNNING", "at": None, "boots": 1, "last": None}

    def do_state(self, id, state):
        self.instances[id].update(state=state, at=None)

    def do_instances(self):
        with self.lock:
            return {id: {**instance, "state": self.state(instance)} for id, instance in self.instances.items()}

    def do_tokens(self):
        """How often a role was taken."""
        return self.tokens

    # === requests ===

    def answer(self, request):
        headers = {name.lower(): value for name, value in request.headers.items()}
        action = headers.get("x-tc-action", "")
        if request.command != "POST" or request.path != "/":
            raise Refused(404, "InvalidRequest", "the API is POST /")
        if action not in ACTIONS:
            raise Refused(200, "InvalidAction", f"The request action={action} is invalid")
        service, Request, Response = ACTIONS[action]
        if headers.get("x-tc-version") != VERSIONS[service]:
            raise Refused(200, "NoSuchVersion", "The version is invalid")
        if abs(int(headers.get("x-tc-timestamp", 0)) - time.time()) > 300:
            raise Refused(200, "AuthFailure.SignatureExpire", "The timestamp is more than five minutes off")
        if action != "AssumeRoleWithWebIdentity":
            self.authenticate(headers, request.body, service)
        elif headers.get("authorization") != "SKIP":
            raise Refused(200, "AuthFailure.InvalidAuthorization", "this action is not signed")
        region = headers.get("x-tc-region", "")
        if not REGION.fullmatch(region):
            raise Refused(200, "UnsupportedRegion", f"The region {region} is not supported")
        arguments = Request()
        with warnings.catch_warnings():
            # The SDK's models warn of members that they do not have.
            warnings.simplefilter("error")
            try:
                arguments._deserialize(json.loads(request.body))
            except UserWarning as unknown:
                raise Refused(200, "UnknownParameter", str(unknown)) from None
        request_id = str(uuid.uuid4())

        def execute():
            response = Response()
            for name, value in (getattr(self, action)(region, arguments, request_id) or {}).items():
                assert hasattr(response, "_" + name), name
                setattr(response, name, value)
            response.RequestId = request_id
            return Reply(200, json.dumps({"Response": response._serialize()}), "application/json")

        if action == "RebootInstances":
            what = {"action": action, "instances": arguments.InstanceIds, "stop_type": arguments.StopType, "region": region, "request_id": request_id}
            return self.change(what, execute)
        with self.lock:
            return execute()

    def authenticate(self, headers, body, service):
        match = AUTHORIZATION.fullmatch(headers.get("authorization", ""))
        if not match:
            raise Refused(200, "AuthFailure.InvalidAuthorization", "The Authorization header is invalid")
        id, date, scope, signed, signature = match.groups()
        if id not in self.keys:
            raise Refused(200, "AuthFailure.SecretIdNotFound", "The SecretId is not found")
        secret, token = self.keys[id]
        if headers.get("x-tc-token") != token:
            raise Refused(200, "AuthFailure.TokenFailure", "The token is invalid")
        timestamp = headers["x-tc-timestamp"]
        right_day = datetime.fromtimestamp(int(timestamp), timezone.utc).strftime("%Y-%m-%d") == date
        names = signed.split(";")
        if not right_day or scope != service or not {"content-type", "host"} <= set(names) or names != sorted(names):
            raise Refused(200, "AuthFailure.InvalidAuthorization", "The Authorization header is invalid")
        # The values of content-type and host are in lower case already when they are sent by who knows the algorithm.
        lines = "".join(f"{name}:{headers[name].strip().lower()}\n" for name in names)
        canonical = f"POST\n/\n\n{lines}\n{signed}\n{hashlib.sha256(body).hexdigest()}"
        text = f"TC3-HMAC-SHA256\n{timestamp}\n{date}/{service}/tc3_request\n{hashlib.sha256(canonical.encode()).hexdigest()}"
        key = ("TC3" + secret).encode()
        for part in (date, service, "tc3_request", text):
            key = hmac.new(key, part.encode(), hashlib.sha256).digest()
        if key.hex() != signature:
            raise Refused(200, "AuthFailure.SignatureFailure", "The provided credentials could not be validated")

    def refusal(self, refused):
        error = {"Code": refused.code, "Message": refused.message}
        text = json.dumps({"Response": {"Error": error, "RequestId": str(uuid.uuid4())}})
        return Reply(refused.status, text, "application/json")

    # === actions ===

    def select(self, region, ids):
        for id in ids or []:
            if not re.fullmatch(r"ins-[0-9a-z]{8}", id):
                raise Refused(200, "InvalidInstanceId.Malformed", f"The instance ID {id} is malformed")
            if id not in self.instances or self.instances[id]["region"] != region:
                raise Refused(200, "InvalidInstanceId.NotFound", f"The instance {id} is not found")
        return {id: self.instances[id] for id in ids or self.instances if self.instances[id]["region"] == region}

    def state(self, instance):
        if instance["state"] == "REBOOTING" and time.monotonic() - instance["at"] > PASSING:
            instance["state"] = "RUNNING"
        return instance["state"]

    def DescribeInstances(self, region, arguments, request_id):
        def describe(id, instance):
            machine = cvm.Instance()
            machine.InstanceId, machine.InstanceState, machine.HostName = id, self.state(instance), instance["name"]
            machine.PrivateIpAddresses = [instance["address"]]
            if instance["last"]:
                machine.LatestOperation = "RebootInstances"
                machine.LatestOperationState = "OPERATING" if instance["state"] == "REBOOTING" else "SUCCESS"
                machine.LatestOperationRequestId = instance["last"]
            return machine

        found = [describe(id, instance) for id, instance in self.select(region, arguments.InstanceIds).items()]
        return {"TotalCount": len(found), "InstanceSet": found}

    def RebootInstances(self, region, arguments, request_id):
        if not arguments.InstanceIds:
            raise Refused(200, "MissingParameter", "InstanceIds")
        if arguments.StopType not in (None, "SOFT", "HARD", "SOFT_FIRST"):
            raise Refused(200, "InvalidParameterValue", f"StopType {arguments.StopType}")
        instances = self.select(region, arguments.InstanceIds).values()
        for instance in instances:
            if self.state(instance) != "RUNNING":
                state = instance["state"].capitalize()
                raise Refused(200, f"UnsupportedOperation.InstanceState{state}", f"The instance is {state}")
        for instance in instances:
            instance.update(state="REBOOTING", at=time.monotonic(), boots=instance["boots"] + 1, last=request_id)

    def AssumeRoleWithWebIdentity(self, region, arguments, request_id):
        if self.roles.get(arguments.RoleArn) != (arguments.ProviderId, arguments.WebIdentityToken):
            raise Refused(200, "AuthFailure.TokenFailure", "The identity token is invalid")
        if not arguments.RoleSessionName:
            raise Refused(200, "MissingParameter", "RoleSessionName")
        self.tokens += 1
        id, secret, token = f"AKIDTEMPORARY{self.tokens}", f"canary-temporary-key-{self.tokens}", f"canary-temporary-token-{self.tokens}"
        self.keys[id] = (secret, token)
        credentials = sts.Credentials()
        credentials.Token, credentials.TmpSecretId, credentials.TmpSecretKey = token, id, secret
        return {"Credentials": credentials, "ExpiredTime": int(time.time()) + arguments.DurationSeconds}


if __name__ == "__main__":
    cloud.run(Tencent)
