"""Drives the simulated Tencent Cloud with the official SDK: what that takes for CVM and STS is near enough."""

import time

from hand import Hand
from tencentcloud.common.common_client import CommonClient
from tencentcloud.common.credential import Credential
from tencentcloud.common.exception.tencent_cloud_sdk_exception import TencentCloudSDKException
from tencentcloud.common.profile.client_profile import ClientProfile
from tencentcloud.common.profile.http_profile import HttpProfile
from tencentcloud.cvm.v20170312 import cvm_client, models

ID, SECRET, INSTANCE = "AKIDEXAMPLE", "the secret key", "ins-3ven36lk"


def profile(hand):
    http = HttpProfile(protocol="http", endpoint=f"127.0.0.1:{hand.api}", reqTimeout=2)
    return ClientProfile(httpProfile=http)


def client(hand, region="ap-beijing", id=ID, secret=SECRET, token=None):
    return cvm_client.CvmClient(Credential(id, secret, token), region, profile(hand))


def reboot(cvm, id=INSTANCE, **more):
    request = models.RebootInstancesRequest()
    request.InstanceIds = [id]
    for name, value in more.items():
        setattr(request, name, value)
    try:
        return cvm.RebootInstances(request).RequestId
    except TencentCloudSDKException as error:
        return error.code


def describe(cvm):
    request = models.DescribeInstancesRequest()
    request.InstanceIds = [INSTANCE]
    return cvm.DescribeInstances(request).InstanceSet[0]


def main():
    with Hand("cvm") as hand:
        hand.do("key", id=ID, secret=SECRET)
        hand.do("instance", id=INSTANCE, address="10.0.0.7")
        cvm = client(hand)

        machine = describe(cvm)
        assert (machine.InstanceState, machine.PrivateIpAddresses, machine.HostName) == ("RUNNING", ["10.0.0.7"], "worker-1")
        request_id = reboot(cvm, StopType="HARD")
        entry = hand.do("calls")["log"][0]
        assert (entry["request_id"], entry["stop_type"]) == (request_id, "HARD"), entry
        machine = describe(cvm)
        assert (machine.LatestOperation, machine.LatestOperationRequestId) == ("RebootInstances", request_id)
        deadline = time.monotonic() + 30
        while describe(cvm).InstanceState != "RUNNING":
            assert time.monotonic() < deadline, "it never runs again"
            time.sleep(0.05)
        assert describe(cvm).LatestOperationState == "SUCCESS"

        # signatures, ids, arguments
        assert reboot(client(hand, secret="wrong")) == "AuthFailure.SignatureFailure"
        assert reboot(client(hand, id="AKIDNOBODY")) == "AuthFailure.SecretIdNotFound"
        assert reboot(client(hand, token="t")) == "AuthFailure.TokenFailure"
        hand.do("key", id="AKIDSESSION", secret=SECRET, token="t")
        assert describe(client(hand, id="AKIDSESSION", token="t")).InstanceState == "RUNNING"
        assert reboot(cvm, "ins-00000000") == "InvalidInstanceId.NotFound"
        assert reboot(cvm, "bogus") == "InvalidInstanceId.Malformed"
        assert reboot(client(hand, "ap-tokyo")) == "InvalidInstanceId.NotFound"
        assert reboot(cvm, StopType="ROUGH") == "InvalidParameterValue"
        assert reboot(cvm, DryRun=True) == "UnknownParameter"
        hand.do("state", id=INSTANCE, state="STOPPED")
        assert reboot(cvm) == "UnsupportedOperation.InstanceStateStopped"
        hand.do("state", id=INSTANCE, state="RUNNING")

        # a service account of TKE
        hand.do("role", arn="qcs::cam::role/restarter", provider="cls-1", token="a token")
        sts = CommonClient("sts", "2018-08-13", None, "ap-beijing", profile(hand))
        arguments = {"ProviderId": "cls-1", "WebIdentityToken": "a token", "RoleArn": "qcs::cam::role/restarter", "RoleSessionName": "s", "DurationSeconds": 7200}
        keys = sts.call_json("AssumeRoleWithWebIdentity", arguments, options={"SkipSign": True})["Response"]["Credentials"]
        session = client(hand, id=keys["TmpSecretId"], secret=keys["TmpSecretKey"], token=keys["Token"])
        assert describe(session).InstanceState == "RUNNING"

        # faults
        faults = {
            "Throttled": ("RequestLimitExceeded", 0),
            "Forbidden": ("UnauthorizedOperation", 0),
            "Broken": ("ServerNetworkError", 0),
            "FailedOperation": ("InternalServerError", 0),
            "LostReply": ("ClientNetworkError", 1),
            "Silence": ("ClientNetworkError", 1),
            "Unreachable": ("ClientNetworkError", None),
        }
        for fault, (seen, done) in faults.items():
            before = hand.do("calls")
            hand.do("fault", kind=fault)
            found = reboot(client(hand))
            hand.do("fault", kind=None)
            hand.do("state", id=INSTANCE, state="RUNNING")
            after = hand.do("calls")
            assert found == seen, (fault, found)
            assert after["received"] - before["received"] == (done is not None), fault
            assert after["accepted"] - before["accepted"] == (done or 0), fault


if __name__ == "__main__":
    main()
