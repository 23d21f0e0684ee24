"""EC2, as far as restarting an instance goes: stricter than a simulator, and able to fail.

Requests are read and answers written by the API model that botocore publishes, so a parameter or a member that EC2 does
not have is refused here, too. Signatures are computed anew by botocore's own signer.
"""

import datetime
import re
import time
import uuid
from urllib.parse import parse_qs
from xml.sax.saxutils import escape

import botocore.session
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

import cloud
from cloud import Refused, Reply

MODEL = botocore.session.get_session().get_service_model("ec2")
ACTIONS = {"DescribeInstances", "RebootInstances", "StopInstances", "StartInstances"}
CODES = {"pending": 0, "running": 16, "shutting-down": 32, "terminated": 48, "stopping": 64, "stopped": 80}
INSTANCE = re.compile(r"i-(?:[0-9a-f]{8}|[0-9a-f]{17})")
AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256 Credential=([^/]+)/(\d{8})/([a-z0-9-]+)/ec2/aws4_request, ?SignedHeaders=([a-z0-9;-]+), ?Signature=([0-9a-f]{64})"
)
#: How long an instance is stopping or pending.
PASSING = 0.5


class Ec2(cloud.Cloud):
    REFUSALS = {
        "Throttled": (503, "RequestLimitExceeded", "Request limit exceeded."),
        "Forbidden": (403, "UnauthorizedOperation", "You are not authorized to perform this operation."),
        "Broken": (500, "InternalError", "An internal error has occurred"),
        "Unavailable": (503, "Unavailable", "The server is overloaded and can't handle the request."),
    }

    def __init__(self):
        super().__init__()
        self.keys, self.instances = {}, {}

    # === the hand ===

    def do_key(self, id, secret, token=None, actions=None):
        """A key, and the actions that its policy allows; None is all."""
        self.keys[id] = (secret, token, actions)

    def do_instance(self, id, region="eu-west-1", address="10.0.0.1"):
        """An instance that runs."""
        self.instances[id] = {"region": region, "address": address, "state": "running", "at": 0.0, "boots": 1}

    def do_state(self, id, state):
        """Puts an instance into a state."""
        self.instances[id].update(state=state, at=0.0)

    def do_instances(self):
        """What runs: a reboot shows in nothing but the count of boots."""
        with self.lock:
            return {id: {**instance, "state": self.state(instance)} for id, instance in self.instances.items()}

    # === requests ===

    def answer(self, request):
        if request.command != "POST" or request.path != "/":
            raise Refused(404, "NoSuchPath", "EC2 takes POST /")
        params = {name: values[0] for name, values in parse_qs(request.body.decode(), keep_blank_values=True).items()}
        action = params.pop("Action", "")
        if params.pop("Version", "") != MODEL.api_version or action not in MODEL.operation_names:
            raise Refused(400, "InvalidAction", f"The action {action} is not valid for this web service.")
        if action not in ACTIONS:
            raise Refused(400, "UnsupportedOperation", f"{action} is not simulated")
        region = self.authenticate(request, action)
        operation = MODEL.operation_model(action)
        arguments = read(operation.input_shape, "", params)
        if params:
            raise Refused(400, "UnknownParameter", f"The parameter {next(iter(params))} is not recognized")
        for name in operation.input_shape.required_members:
            if name not in arguments:
                raise Refused(400, "MissingParameter", f"The request must contain the parameter {name}")
        request_id = str(uuid.uuid4())
        with self.lock:
            instances = self.select(region, arguments.get("InstanceIds", []))
        what = {"action": action, "instances": list(instances), "region": region, "request_id": request_id}

        def execute():
            members = getattr(self, action)(instances, arguments) or {}
            body = write(operation.output_shape, members) if operation.output_shape else "<return>true</return>"
            name, space = f"{action}Response", f"http://ec2.amazonaws.com/doc/{MODEL.api_version}/"
            text = f'<{name} xmlns="{space}"><requestId>{request_id}</requestId>{body}</{name}>'
            return Reply(200, text, "text/xml;charset=UTF-8", {"x-amzn-requestid": request_id})

        if action == "DescribeInstances":
            with self.lock:
                self.vanish()
                return execute()
        if arguments.get("DryRun"):
            raise Refused(412, "DryRunOperation", "Request would have succeeded, but DryRun flag is set.")
        return self.change(what, execute)

    def authenticate(self, request, action):
        headers = {name.lower(): value for name, value in request.headers.items()}
        if "authorization" not in headers:
            raise Refused(401, "MissingAuthenticationToken", "Request is missing Authentication Token")
        match = AUTHORIZATION.fullmatch(headers["authorization"])
        if not match or not {"host", "x-amz-date"} <= set(match[4].split(";")):
            raise Refused(400, "IncompleteSignature", "The request signature does not conform to AWS standards")
        key, date, region, signed, signature = match.groups()
        at = headers["x-amz-date"]
        moment = datetime.datetime.strptime(at, "%Y%m%dT%H%M%SZ").replace(tzinfo=datetime.timezone.utc)
        if abs(moment.timestamp() - time.time()) > 300 or not at.startswith(date):
            raise Refused(400, "RequestExpired", "Request has expired.")
        failure = Refused(401, "AuthFailure", "AWS was not able to validate the provided access credentials")
        if key not in self.keys:
            raise failure
        secret, token, actions = self.keys[key]
        if headers.get("x-amz-security-token") != token:
            raise failure
        copy = AWSRequest("POST", f"http://{headers['host']}/", {name: headers[name] for name in signed.split(";")}, request.body)
        copy.context["timestamp"] = at
        signer = SigV4Auth(Credentials(key, secret, token), "ec2", region)
        if signer.signature(signer.string_to_sign(copy, signer.canonical_request(copy)), copy) != signature:
            raise failure
        if actions is not None and action not in actions:
            text = f"You are not authorized to perform this operation. User is not authorized to perform: ec2:{action}"
            raise Refused(403, "UnauthorizedOperation", text + " Encoded authorization failure message: c2VjcmV0")
        return region

    def select(self, region, ids):
        for id in ids:
            if not INSTANCE.fullmatch(id):
                raise Refused(400, "InvalidInstanceID.Malformed", f'Invalid id: "{id}"')
            if id not in self.instances or self.instances[id]["region"] != region:
                raise Refused(400, "InvalidInstanceID.NotFound", f"The instance ID '{id}' does not exist")
        every = [id for id, instance in self.instances.items() if instance["region"] == region]
        return {id: self.instances[id] for id in ids or every}

    def refusal(self, refused):
        errors = f"<Error><Code>{refused.code}</Code><Message>{escape(refused.message)}</Message></Error>"
        text = f"<Response><Errors>{errors}</Errors><RequestID>{uuid.uuid4()}</RequestID></Response>"
        return Reply(refused.status, text, "text/xml;charset=UTF-8")

    # === actions, on instances that exist ===

    def state(self, instance):
        if instance["state"] in ("stopping", "pending") and time.monotonic() - instance["at"] > PASSING:
            instance["state"] = {"stopping": "stopped", "pending": "running"}[instance["state"]]
        return instance["state"]

    def DescribeInstances(self, instances, arguments):
        if set(arguments) - {"InstanceIds", "DryRun"}:
            raise Refused(400, "InvalidParameterCombination", "only InstanceIds is simulated")

        def describe(id, instance):
            state, address = self.state(instance), instance["address"]
            name = f"ip-{address.replace('.', '-')}.{instance['region']}.compute.internal"
            described = {"InstanceId": id, "State": {"Code": CODES[state], "Name": state}, "PrivateDnsName": name}
            described["Placement"] = {"AvailabilityZone": instance["region"] + "a"}
            if state != "terminated":
                private = {"PrivateIpAddress": address, "PrivateDnsName": name, "Primary": True}
                described["PrivateIpAddress"] = address
                described["NetworkInterfaces"] = [{"PrivateIpAddress": address, "PrivateIpAddresses": [private]}]
            return described

        found = [describe(id, instance) for id, instance in instances.items()]
        return {"Reservations": [{"ReservationId": "r-0123456789abcdef0", "Instances": found}] if found else []}

    def RebootInstances(self, instances, arguments):
        for id, instance in instances.items():
            if self.state(instance) not in ("running", "terminated"):
                raise Refused(400, "IncorrectState", f"The instance '{id}' is not in a state from which it can be rebooted.")
        for instance in instances.values():
            instance["boots"] += instance["state"] == "running"

    def StopInstances(self, instances, arguments):
        changes = self.move(instances, ("running", "stopping", "stopped"), "running", "stopping")
        return {"StoppingInstances": changes}

    def StartInstances(self, instances, arguments):
        changes = self.move(instances, ("stopped", "pending", "running"), "stopped", "pending")
        for change, instance in zip(changes, instances.values()):
            instance["boots"] += change["PreviousState"]["Name"] == "stopped"
        return {"StartingInstances": changes}

    def move(self, instances, allowed, before, after):
        for id, instance in instances.items():
            if self.state(instance) not in allowed:
                text = f"The instance '{id}' is not in a state from which it can be changed."
                raise Refused(400, "IncorrectInstanceState", text)
        changes = []
        for id, instance in instances.items():
            previous = instance["state"]
            if previous == before:
                instance.update(state=after, at=time.monotonic())
            present = instance["state"]
            states = {"PreviousState": previous, "CurrentState": present}
            states = {name: {"Code": CODES[state], "Name": state} for name, state in states.items()}
            changes.append({"InstanceId": id, **states})
        return changes


def read(shape, prefix, params):
    """The value of a shape in the parameters of a query, taking out what it uses; None where there is none."""
    if shape.type_name == "structure":
        members = {}
        for name, member in shape.members.items():
            value = read(member, prefix + wire_name(name, member) + ("." if nested(member) else ""), params)
            if value is not None:
                members[name] = value
        return members if members or not prefix else None
    if shape.type_name == "list":
        values = []
        while (value := read(shape.member, f"{prefix}{len(values) + 1}" + ("." if nested(shape.member) else ""), params)) is not None:
            values.append(value)
        return values or None
    if prefix not in params:
        return None
    text = params.pop(prefix)
    if shape.type_name == "boolean":
        if text not in ("true", "false"):
            raise Refused(400, "InvalidParameterValue", f"Value ({text}) for parameter {prefix} is invalid.")
        return text == "true"
    if shape.type_name == "integer":
        return int(text)
    return text


def nested(shape):
    return shape.type_name in ("structure", "list")


def wire_name(name, member):
    """How EC2 calls a member in a query: its query name, else its name on the wire with a capital."""
    if "queryName" in member.serialization:
        return member.serialization["queryName"]
    on_wire = member.serialization.get("name", name)
    return on_wire[0].upper() + on_wire[1:]


def write(shape, value):
    """A value in XML; a member that the shape does not have is a mistake of this file."""
    if shape.type_name == "structure":
        def member(name, value):
            tag = shape.members[name].serialization.get("name", name)
            return f"<{tag}>{write(shape.members[name], value)}</{tag}>"

        return "".join(member(name, value) for name, value in value.items())
    if shape.type_name == "list":
        return "".join(f"<item>{write(shape.member, item)}</item>" for item in value)
    if shape.type_name == "boolean":
        return str(value).lower()
    return escape(str(value))


if __name__ == "__main__":
    cloud.run(Ec2)
