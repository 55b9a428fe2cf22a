"""What the scripts for Python share: what is asked, the shape of what is told, and the walk through the plan."""

import json
import sys
import traceback

WEATHER = {
    "type": "object",
    "properties": {"city": {"type": "string"}, "days": {"type": "integer"}},
    "required": ["city", "days"],
}
NOTHING = {"type": "object", "properties": {}}


def plain():
    return {
        "text": "", "refusal": None, "reasoning": "", "seal": None, "calls": [], "parsed": None,
        "finish": None, "usage": None, "model": None, "error": None,
    }


def chat_request():
    """A question with two tools, in the words of Chat Completions and of those that took them over."""
    return {
        "model": "asked", "messages": [{"role": "user", "content": "How is Málaga?"}],
        "tools": [
            {"type": "function", "function": {"name": name, "parameters": parameters}}
            for name, parameters in [("weather", WEATHER), ("now", NOTHING)]
        ],
    }


def decoded(arguments):
    """What a program makes of arguments; those that were cut are told as text."""
    try:
        return json.loads(arguments or "{}")
    except ValueError:
        return arguments


def choked(error, said):
    """What the SDK chokes on is a finding, not the end."""
    traceback.print_exc()
    said["error"] = {"class": type(error).__name__, "message": str(error)}
    return said


def main(run):
    """Prints a line of JSON for each question of the plan."""
    url, plan = sys.argv[1], json.loads(sys.argv[2])
    for protocol, scenario, mode in plan:
        returned = run(url, protocol, scenario, mode)
        print(json.dumps([protocol, scenario, mode, returned]), flush=True)
