"""The other end of node-exec's webhook."""

import json

import cloud
import machine
from cloud import Refused, Reply


class Hook(cloud.Cloud):
    REFUSALS = {
        "Throttled": (429, None, None),
        "Forbidden": (403, None, None),
        "Broken": (500, None, None),
        "Redirect": (302, None, None),
        "Explained": (422, None, json.dumps(machine.refused("Conflict", "another restart is under way"))),
    }

    def __init__(self, token, path):
        super().__init__()
        self.token, self.path, self.present = token, path, "Running"
        self.headers = None

    def do_state(self, state):
        self.present = state

    def do_headers(self):
        """Those of the last request."""
        return self.headers

    def answer(self, request):
        if (request.command, request.path) != ("POST", self.path):
            raise Refused(404, None, None)
        if request.headers.get("authorization") != f"Bearer {self.token}":
            raise Refused(401, None, None)
        self.headers = {name.lower(): value for name, value in request.headers.items()}
        body = json.loads(request.body)

        def execute():
            answer, state = machine.answer(body, self.present)
            if state is None:
                raise Refused(409, None, json.dumps(answer))
            return Reply(200, json.dumps(answer), "application/json")

        if body["call"] != "take":
            return execute()
        assert request.headers["idempotency-key"] == body["token"], "the token is the key"
        return self.change({"step": body["step"]}, execute)

    def refusal(self, refused):
        return Reply(refused.status, refused.message or "", "application/json", {"retry-after": "7"} if refused.status == 429 else {})


if __name__ == "__main__":
    cloud.run(Hook)
