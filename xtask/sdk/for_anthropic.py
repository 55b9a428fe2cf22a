"""Asks the server with Anthropic's own SDK for Python and prints what the SDK returned, a line of JSON each.

Arguments and modes are those of `for_openai.py`.
"""

import json
import sys
import traceback

import anthropic
from pydantic import BaseModel

import rich_anthropic


class City(BaseModel):
    city: str
    degrees: float


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


def request(tools=True):
    asked = {
        "model": "asked", "max_tokens": 500, "messages": [{"role": "user", "content": "How is Málaga?"}],
    }
    if tools:
        asked["tools"] = [
            {"name": "weather", "input_schema": WEATHER}, {"name": "now", "input_schema": NOTHING},
        ]
    return asked


def of_usage(usage):
    details = usage.output_tokens_details
    return {
        "input": usage.input_tokens, "output": usage.output_tokens,
        "cache_read": usage.cache_read_input_tokens or 0,
        "cache_write": usage.cache_creation_input_tokens or 0,
        "reasoning": (details and details.thinking_tokens) or 0,
    }


def of_message(message):
    said = plain()
    for block in message.content:
        if block.type == "text":
            said["text"] += block.text
            parsed = getattr(block, "parsed_output", None)
            if parsed is not None:
                said["parsed"] = parsed.model_dump()
        elif block.type == "thinking":
            said["reasoning"] += block.thinking
            said["seal"] = block.signature
        elif block.type == "tool_use":
            said["calls"].append([block.id, block.name, block.input])
    said["finish"] = message.stop_reason
    said["usage"] = of_usage(message.usage)
    said["model"] = message.model
    return said


def decoded(arguments):
    """What a program makes of arguments; those that were cut are told as text."""
    try:
        return json.loads(arguments or "{}")
    except ValueError:
        return arguments


def raw(client, said):
    arguments, usage = {}, {}
    for event in client.messages.create(**request(), stream=True):
        if event.type == "message_start":
            said["model"] = event.message.model
            usage = event.message.usage.model_dump(exclude_none=True)
        elif event.type == "content_block_start" and event.content_block.type == "tool_use":
            block = event.content_block
            arguments[event.index] = [block.id, block.name, ""]
        elif event.type == "content_block_delta":
            delta = event.delta
            if delta.type == "text_delta":
                said["text"] += delta.text
            elif delta.type == "thinking_delta":
                said["reasoning"] += delta.thinking
            elif delta.type == "signature_delta":
                said["seal"] = delta.signature
            elif delta.type == "input_json_delta":
                arguments[event.index][2] += delta.partial_json
        elif event.type == "message_delta":
            said["finish"] = event.delta.stop_reason
            usage |= event.usage.model_dump(exclude_none=True)
    said["calls"] = [[id, name, decoded(text)] for id, name, text in arguments.values()]
    said["usage"] = of_usage(anthropic.types.Usage.construct(**usage))
    return said


def helper(client, said, schema=False):
    asked = request(tools=not schema)
    if schema:
        asked["output_format"] = City
    with client.messages.stream(**asked) as stream:
        for event in stream:
            if event.type == "text":
                said["text"] += event.text
        return of_message(stream.get_final_message())


WAYS = {
    "whole": lambda client, said: of_message(client.messages.create(**request())),
    "raw": raw,
    "helper": helper,
    "parse": lambda client, said: of_message(
        client.messages.parse(**request(tools=False), output_format=City)
    ),
    "parse-helper": lambda client, said: helper(client, said, True),
    "rich": rich_anthropic.messages,
}


def failed(error, said):
    body = error.body if isinstance(getattr(error, "body", None), dict) else {}
    inner = body.get("error") or {}
    said["error"] = {
        "class": type(error).__name__,
        "status": getattr(error, "status_code", None),
        "message": inner.get("message", str(error)),
        "kind": inner.get("type"),
        "request_id": getattr(error, "request_id", None),
    }
    return said


def run(url, scenario, mode):
    client = anthropic.Anthropic(base_url=f"{url}/{scenario}", api_key="sk-test", max_retries=0, timeout=20)
    said = plain()
    try:
        return WAYS[mode](client, said)
    except anthropic.AnthropicError as error:
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
