"""Drives the simulated EC2 with boto3: what Amazon's own client takes for EC2 is near enough."""

import time

import boto3
import botocore.exceptions
from botocore.config import Config
from hand import Hand

ID, SECRET = "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
INSTANCE, OTHER = "i-0123456789abcdef0", "i-0123456789abcdef1"


def client(hand, region="eu-west-1", id=ID, secret=SECRET, token=None):
    once = Config(retries={"total_max_attempts": 1}, read_timeout=2, connect_timeout=2)
    url = f"http://127.0.0.1:{hand.api}"
    keys = {"aws_access_key_id": id, "aws_secret_access_key": secret, "aws_session_token": token}
    return boto3.client("ec2", region_name=region, endpoint_url=url, config=once, **keys)


def code(call, **arguments):
    try:
        call(**arguments)
    except botocore.exceptions.ClientError as error:
        return error.response["ResponseMetadata"]["HTTPStatusCode"], error.response["Error"]["Code"]
    except Exception as error:
        return type(error).__name__
    return None


def state(ec2):
    described = ec2.describe_instances(InstanceIds=[INSTANCE])["Reservations"][0]["Instances"][0]
    return described["State"]["Name"]


def until(ec2, wanted):
    deadline = time.monotonic() + 30
    while state(ec2) != wanted:
        assert time.monotonic() < deadline, f"{INSTANCE} never is {wanted}"
        time.sleep(0.05)


def main():
    with Hand("ec2") as hand:
        hand.do("key", id=ID, secret=SECRET)
        hand.do("instance", id=INSTANCE, address="10.0.0.7")
        ec2 = client(hand)
        one = {"InstanceIds": [INSTANCE]}

        described = ec2.describe_instances(**one)["Reservations"][0]["Instances"][0]
        assert described["PrivateIpAddress"] == "10.0.0.7", described
        assert described["NetworkInterfaces"][0]["PrivateIpAddresses"][0]["PrivateDnsName"].startswith("ip-10-0-0-7."), described
        assert ec2.reboot_instances(**one)["ResponseMetadata"]["RequestId"] == hand.do("calls")["log"][0]["request_id"]
        assert hand.do("instances")[INSTANCE]["boots"] == 2

        # dry runs, permissions and signatures
        for call in (ec2.reboot_instances, ec2.stop_instances, ec2.start_instances):
            assert code(call, DryRun=True, **one) == (412, "DryRunOperation")
        hand.do("key", id="AKIAREADER", secret=SECRET, actions=["DescribeInstances"])
        reader = client(hand, id="AKIAREADER")
        assert state(reader) == "running"
        assert code(reader.reboot_instances, DryRun=True, **one) == (403, "UnauthorizedOperation")
        hand.do("key", id="ASIASESSION", secret=SECRET, token="t")
        assert state(client(hand, id="ASIASESSION", token="t")) == "running"
        for stranger in ({"secret": "wrong"}, {"id": "AKIANOBODY"}, {"id": "ASIASESSION"}, {"id": "ASIASESSION", "token": "u"}):
            assert code(client(hand, **stranger).reboot_instances, **one) == (401, "AuthFailure"), stranger
        assert hand.do("calls")["received"] == 1

        # ids
        assert code(ec2.reboot_instances, InstanceIds=[OTHER]) == (400, "InvalidInstanceID.NotFound")
        assert code(ec2.reboot_instances, InstanceIds=["bogus"]) == (400, "InvalidInstanceID.Malformed")
        assert code(client(hand, "us-east-1").reboot_instances, **one) == (400, "InvalidInstanceID.NotFound")
        assert code(ec2.describe_vpcs) == (400, "UnsupportedOperation")

        # the life of an instance
        assert ec2.stop_instances(Force=True, **one)["StoppingInstances"][0]["CurrentState"]["Name"] == "stopping"
        assert code(ec2.start_instances, **one) == (400, "IncorrectInstanceState")
        until(ec2, "stopped")
        assert code(ec2.reboot_instances, **one) == (400, "IncorrectState")
        ec2.start_instances(**one)
        until(ec2, "running")
        assert hand.do("instances")[INSTANCE]["boots"] == 3
        hand.do("state", id=INSTANCE, state="terminated")
        ec2.reboot_instances(**one)
        assert (state(ec2), hand.do("instances")[INSTANCE]["boots"]) == ("terminated", 3)
        hand.do("state", id=INSTANCE, state="running")

        # faults
        faults = {
            "Throttled": ((503, "RequestLimitExceeded"), 0),
            "Forbidden": ((403, "UnauthorizedOperation"), 0),
            "Broken": ((500, "InternalError"), 0),
            "Unavailable": ((503, "Unavailable"), 0),
            "LostReply": ("ConnectionClosedError", 1),
            "HalfReply": ("ResponseParserError", 1),
            # boto3 believes any 200 of an action that answers nothing else.
            "Nonsense": (None, 1),
            "Silence": ("ReadTimeoutError", 1),
            "Unreachable": ("EndpointConnectionError", None),
        }
        for fault, (seen, done) in faults.items():
            before = hand.do("calls")
            hand.do("fault", kind=fault)
            found = code(ec2.reboot_instances, **one)
            assert found == seen, (fault, found)
            hand.do("fault", kind=None)
            after = hand.do("calls")
            assert after["received"] - before["received"] == (done is not None), fault
            assert after["accepted"] - before["accepted"] == (done or 0), fault
            assert state(ec2) == "running"


if __name__ == "__main__":
    main()
