"""Asks the server with Ollama's own SDK for Python and prints what the SDK returned, a line of JSON each.

Arguments and modes are those of `for_openai.py`; the SDK puts no stream together, so there is no `helper`. It keeps no ids of
calls.
"""

import json
import sys
import traceback

import ollama

import rich_ollama

WEATHER = {
    "type": "object",
    "properties": {"city": {"type": "string"}, "days": {"type": "integer"}},
    "required": ["city", "days"],
}


def plain():
    return {
        "text": "", "refusal": None, "reasoning": "", "seal": None, "calls": [], "parsed": None,
        "finish": None, "usage": None, "model": None, "error": None,
    }


def request():
    functions = [("weather", WEATHER), ("now", {"type": "object", "properties": {}})]
    return {
        "model": "asked", "messages": [{"role": "user", "content": "How is Málaga?"}],
        "tools": [
            {"type": "function", "function": {"name": name, "parameters": parameters}}
            for name, parameters in functions
        ],
    }


def take(answer, said):
    said["model"] = answer.model
    said["text"] += answer.message.content or ""
    said["reasoning"] += answer.message.thinking or ""
    for call in answer.message.tool_calls or []:
        said["calls"].append([None, call.function.name, dict(call.function.arguments)])
    if answer.done:
        said["finish"] = answer.done_reason
        said["usage"] = {"input": answer.prompt_eval_count, "output": answer.eval_count}
    return said


def raw(client, said):
    for answer in client.chat(**request(), stream=True):
        take(answer, said)
    return said


WAYS = {"whole": lambda client, said: take(client.chat(**request()), said), "raw": raw, "rich": rich_ollama.chat}


def failed(error, said):
    said["error"] = {
        "class": type(error).__name__, "status": error.status_code if error.status_code > 0 else None,
        "message": error.error, "kind": None, "request_id": None,
    }
    return said


def run(url, scenario, mode):
    client = ollama.Client(host=f"{url}/{scenario}", timeout=20)
    said = plain()
    try:
        return WAYS[mode](client, said)
    except ollama.ResponseError as error:
        return failed(error, said)
    except Exception as error:  # What the SDK chokes on is a finding, not the end.
        traceback.print_exc()
        said["error"] = {"class": type(error).__name__, "message": str(error)}
        return said


def main():
    url, plan = sys.argv[1], json.loads(sys.argv[2])
    for protocol, scenario, mode in plan:
        returned = run(url, scenario, mode)
        print(json.dumps([protocol, scenario, mode, returned]), flush=True)


main()
