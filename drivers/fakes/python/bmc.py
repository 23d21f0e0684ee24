"""A BMC: sushy-emulator with its fake machines, behind a proxy that can fail.

What a Redfish request means is sushy-tools' business. The proxy counts the requests that change something.
"""

import http.client
import json
import logging
import os
import threading

import bcrypt
from sushy_tools.emulator import main as emulator
from werkzeug.serving import make_server

import cloud
from cloud import Refused, Reply

#: The one machine.
SYSTEM = "27946b59-9e44-4fa7-8e91-f3527a1ef094"


class Bmc(cloud.Cloud):
    REFUSALS = {
        "Throttled": (429, "Base.1.0.Throttled", "Too many requests"),
        "Forbidden": (403, "Base.1.0.InsufficientPrivilege", "There are insufficient privileges"),
        "Broken": (500, "Base.1.0.InternalError", "The request failed due to an internal service error"),
    }

    def __init__(self, folder, user, password):
        super().__init__()
        users = os.path.join(folder, "users")
        with open(users, "w", encoding="ascii") as file:
            file.write(f"{user}:{bcrypt.hashpw(password.encode(), bcrypt.gensalt(4)).decode()}\n")
        machine = {"uuid": SYSTEM, "name": "worker-1", "power_state": "On", "nics": [{"mac": "00:5c:52:31:3a:9c"}]}
        emulator.app.configure(
            extra_config={
                "SUSHY_EMULATOR_FAKE_DRIVER": True,
                "SUSHY_EMULATOR_FAKE_SYSTEMS": [machine],
                "SUSHY_EMULATOR_STATE_DIR": folder,
                "SUSHY_EMULATOR_AUTH_FILE": users,
            }
        )
        logging.getLogger("werkzeug").setLevel(logging.ERROR)
        server = make_server("127.0.0.1", 0, emulator.app, threaded=True)
        self.port = server.server_port
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.offered, self.gone = None, False

    # === the hand ===

    def do_state(self, state):
        """On, Off, or Gone."""
        self.gone = state == "Gone"
        if not self.gone:
            emulator.app.systems._update(SYSTEM, power_state=state, pending_power=None)

    def do_offer(self, types, where="here"):
        """What the BMC says that it can do: in the system, or in a document that the system names."""
        self.offered = (types, where)

    # === requests ===

    def answer(self, request):
        if request.path == "/redfish/v1/ResetActionInfo":
            return Reply(200, json.dumps({"Parameters": [{"Name": "ResetType", "AllowableValues": self.offered[0]}]}), "application/json")
        if self.gone and SYSTEM in request.path:
            raise Refused(404, "Base.1.0.ResourceMissingAtURI", "The resource was not found")
        if request.command != "POST":
            return self.edit(self.forward(request))
        kind = json.loads(request.body).get("ResetType")
        return self.change({"path": request.path, "kind": kind}, lambda: self.forward(request))

    def forward(self, request):
        connection = http.client.HTTPConnection("127.0.0.1", self.port)
        headers = {name: request.headers[name] for name in ("authorization", "content-type") if name in request.headers}
        connection.request(request.command, request.path, request.body, headers)
        answer = connection.getresponse()
        body = answer.read()
        if answer.status >= 400:
            raise Refused(answer.status, "sushy", body.decode())
        return Reply(answer.status, body, answer.headers.get("content-type", "application/json"))

    def edit(self, reply):
        if self.offered is None or b"#ComputerSystem.Reset" not in reply.body:
            return reply
        document = json.loads(reply.body)
        action = document["Actions"]["#ComputerSystem.Reset"]
        del action["ResetType@Redfish.AllowableValues"]
        types, where = self.offered
        if where == "here":
            action["ResetType@Redfish.AllowableValues"] = types
        else:
            action["@Redfish.ActionInfo"] = where
        return Reply(200, json.dumps(document), reply.content_type)

    def refusal(self, refused):
        error = {"error": {"code": refused.code, "message": refused.message}}
        headers = {"retry-after": "7"} if refused.status == 429 else {}
        return Reply(refused.status, json.dumps(error), "application/json", headers)


if __name__ == "__main__":
    cloud.run(Bmc)
