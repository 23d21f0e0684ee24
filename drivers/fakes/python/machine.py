"""The other end of node-exec's protocol: one machine, `demo://1`."""

ADDRESS = "10.0.0.7"


def answer(request, state):
    """The answer, and the machine's new state; or a refusal and none."""
    if request["protocol"] != "outrigger.node/v1":
        return refused("Unsupported", "another protocol"), None
    node = request["node"]
    if node["providerID"] != "demo://1":
        return refused("Invalid", f"{node['name']} is not mine"), None
    if state == "Gone":
        return refused("NotFound", "there is no machine 1"), None
    if request["call"] == "describe":
        instance = {"id": "1", "state": state, "providerState": state.lower(), "addresses": [ADDRESS], "names": ["worker-1"]}
        return {"instance": instance}, state
    if request["call"] == "plan":
        if request["mode"] == "Hard":
            return refused("Unsupported", "no hard restart"), None
        return {"steps": ["Reboot"], "verdict": "it would be restarted"}, state
    assert request["call"] == "take" and request["token"] and request["reason"], request
    if (request["step"], state) != ("Reboot", "Running"):
        return refused("Conflict", f"the machine is {state}"), None
    return {"requestID": "r-" + request["token"]}, state


def refused(kind, message):
    return {"refused": {"kind": kind, "message": message}}
