"""Asks the server with OpenAI's own SDK for Python and prints what the SDK returned, a line of JSON each.

Arguments: the server's address, and the plan: a list of [protocol, scenario, mode].
Modes: `whole` and `raw` (the stream as it is iterated), `helper` (the SDK's accumulator), `parse` and `parse-helper`
(the same with a schema), and `rich` (a request with everything in it).
"""

import json
import sys
import traceback

import openai
from pydantic import BaseModel

import rich_openai


class City(BaseModel):
    city: str
    degrees: float


WEATHER = {
    "type": "object",
    "properties": {"city": {"type": "string"}, "days": {"type": "integer"}},
    "required": ["city", "days"],
    "additionalProperties": False,
}
NOTHING = {"type": "object", "properties": {}, "required": [], "additionalProperties": False}


def plain():
    return {
        "text": "", "refusal": None, "reasoning": "", "seal": None, "calls": [], "parsed": None,
        "finish": None, "usage": None, "model": None, "error": None,
    }


def decoded(arguments):
    """What a program makes of arguments; those that were cut are told as text."""
    try:
        return json.loads(arguments)
    except ValueError:
        return arguments


def failed(error, said):
    body = error.body if isinstance(getattr(error, "body", None), dict) else {}
    said["error"] = {
        "class": type(error).__name__,
        "status": getattr(error, "status_code", None),
        "message": body.get("message", str(error)),
        "kind": body.get("type"),
        "request_id": getattr(error, "request_id", None),
    }
    return said


# Chat Completions


def chat_request():
    tools = [
        {"type": "function", "function": {"name": "weather", "parameters": WEATHER}},
        {"type": "function", "function": {"name": "now", "parameters": NOTHING}},
    ]
    return {"model": "asked", "messages": [{"role": "user", "content": "How is Málaga?"}], "tools": tools}


def chat_usage(usage):
    if usage is None:
        return None
    prompt, completion = usage.prompt_tokens_details, usage.completion_tokens_details
    return {
        "input": usage.prompt_tokens, "output": usage.completion_tokens, "total": usage.total_tokens,
        "cache_read": (prompt and prompt.cached_tokens) or 0,
        "cache_write": (prompt and prompt.cache_write_tokens) or 0,
        "reasoning": (completion and completion.reasoning_tokens) or 0,
    }


def of_completion(completion):
    said, choice = plain(), completion.choices[0]
    message = choice.message
    said["text"] = message.content or ""
    said["refusal"] = message.refusal
    said["reasoning"] = getattr(message, "reasoning_content", None) or ""
    for call in message.tool_calls or []:
        said["calls"].append([call.id, call.function.name, decoded(call.function.arguments)])
    parsed = getattr(message, "parsed", None)
    said["parsed"] = parsed.model_dump() if isinstance(parsed, BaseModel) else parsed
    said["finish"] = choice.finish_reason
    said["usage"] = chat_usage(completion.usage)
    said["model"] = completion.model
    return said


def chat_raw(client, said):
    calls, ids = {}, set()
    stream = client.chat.completions.create(
        **chat_request(), stream=True, stream_options={"include_usage": True}
    )
    for chunk in stream:
        ids.add(chunk.id)
        said["model"] = chunk.model
        said["usage"] = chat_usage(chunk.usage) or said["usage"]
        for choice in chunk.choices:
            delta = choice.delta
            said["text"] += delta.content or ""
            said["reasoning"] += getattr(delta, "reasoning_content", None) or ""
            if delta.refusal:
                said["refusal"] = (said["refusal"] or "") + delta.refusal
            for piece in delta.tool_calls or []:
                call = calls.setdefault(piece.index, [None, None, ""])
                call[0] = piece.id or call[0]
                call[1] = piece.function.name or call[1]
                call[2] += piece.function.arguments or ""
            said["finish"] = choice.finish_reason or said["finish"]
    said["calls"] = [[call[0], call[1], decoded(call[2])] for _, call in sorted(calls.items())]
    assert len(ids) == 1, f"several ids: {ids}"
    return said


def chat_helper(client, said, schema):
    request = chat_request()
    if schema:
        del request["tools"]
        request["response_format"] = City
    with client.chat.completions.stream(**request, stream_options={"include_usage": True}) as stream:
        for event in stream:
            if event.type == "content.delta":
                said["text"] += event.delta
        return of_completion(stream.get_final_completion())


def chat_parse(client, said, schema):
    request = chat_request()
    del request["tools"]
    return of_completion(client.chat.completions.parse(**request, response_format=City))


# Responses


def responses_request():
    tools = [
        {"type": "function", "name": "weather", "parameters": WEATHER, "strict": True},
        {"type": "function", "name": "now", "parameters": NOTHING, "strict": True},
    ]
    return {"model": "asked", "input": "How is Málaga?", "tools": tools}


def of_response(response):
    said = plain()
    said["text"] = response.output_text
    for item in response.output:
        if item.type == "reasoning":
            said["reasoning"] += "".join(part.text for part in item.summary)
            said["seal"] = item.encrypted_content
        elif item.type == "function_call":
            said["calls"].append([item.call_id, item.name, decoded(item.arguments)])
        elif item.type == "message":
            for part in item.content:
                if part.type == "refusal":
                    said["refusal"] = part.refusal
                elif getattr(part, "parsed", None) is not None:
                    said["parsed"] = part.parsed.model_dump()
    reason = response.incomplete_details.reason if response.incomplete_details else None
    said["finish"] = f"{response.status}/{reason}" if reason else response.status
    usage = response.usage
    said["usage"] = usage and {
        "input": usage.input_tokens, "output": usage.output_tokens, "total": usage.total_tokens,
        "cache_read": usage.input_tokens_details.cached_tokens,
        "cache_write": usage.input_tokens_details.cache_write_tokens or 0,
        "reasoning": usage.output_tokens_details.reasoning_tokens,
    }
    said["model"] = response.model
    return said


def responses_whole(client, said, schema):
    return of_response(client.responses.create(**responses_request()))


def responses_raw(client, said):
    final, sequence = None, -1
    pieces, arguments, refusal = "", {}, ""
    for event in client.responses.create(**responses_request(), stream=True):
        if event.type != "error":
            assert event.sequence_number > sequence, f"{event.type} comes out of order"
            sequence = event.sequence_number
        if event.type == "response.output_text.delta":
            said["text"] += event.delta
        elif event.type == "response.refusal.delta":
            refusal += event.delta
        elif event.type == "response.function_call_arguments.delta":
            arguments[event.item_id] = arguments.get(event.item_id, "") + event.delta
        elif event.type in ("response.completed", "response.incomplete"):
            final = event.response
        elif event.type == "response.failed":
            error = event.response.error
            said["error"] = {
                "class": "response.failed", "status": None, "message": error.message, "kind": error.code,
                "request_id": None,
            }
        elif event.type == "error":
            said["error"] = {
                "class": "error", "status": None, "message": event.message, "kind": event.code,
                "request_id": None,
            }
    if final is None:
        return said
    whole = of_response(final)
    assert said["text"] == whole["text"], "the pieces of the text are not the text"
    assert refusal == (whole["refusal"] or ""), "the pieces of the refusal are not the refusal"
    for item in final.output:
        if item.type == "function_call":
            assert arguments.get(item.id, "") == item.arguments, "the pieces of the arguments differ"
    return whole


def responses_helper(client, said, schema):
    request = responses_request()
    if schema:
        del request["tools"]
        request["text_format"] = City
    with client.responses.stream(**request) as stream:
        for event in stream:
            if event.type == "response.output_text.delta":
                said["text"] += event.delta
            elif event.type == "response.incomplete":
                return of_response(event.response)
            elif event.type == "response.failed":
                error = event.response.error
                said["error"] = {
                    "class": "response.failed", "status": None, "message": error.message,
                    "kind": error.code, "request_id": None,
                }
                return said
        return of_response(stream.get_final_response())


def responses_parse(client, said, schema):
    request = responses_request()
    del request["tools"]
    return of_response(client.responses.parse(**request, text_format=City))


WAYS = {
    ("openai_chat", "whole"): lambda client, said: of_completion(
        client.chat.completions.create(**chat_request())
    ),
    ("openai_chat", "raw"): chat_raw,
    ("openai_chat", "helper"): lambda client, said: chat_helper(client, said, False),
    ("openai_chat", "parse"): lambda client, said: chat_parse(client, said, True),
    ("openai_chat", "parse-helper"): lambda client, said: chat_helper(client, said, True),
    ("openai_responses", "whole"): lambda client, said: responses_whole(client, said, False),
    ("openai_responses", "raw"): responses_raw,
    ("openai_responses", "helper"): lambda client, said: responses_helper(client, said, False),
    ("openai_responses", "parse"): lambda client, said: responses_parse(client, said, True),
    ("openai_responses", "parse-helper"): lambda client, said: responses_helper(client, said, True),
    ("openai_chat", "rich"): rich_openai.chat,
    ("openai_responses", "rich"): rich_openai.responses,
}


def run(url, protocol, scenario, mode):
    client = openai.OpenAI(base_url=f"{url}/{scenario}/v1", api_key="sk-test", max_retries=0, timeout=20)
    said = plain()
    try:
        return WAYS[protocol, mode](client, said)
    except openai.LengthFinishReasonError as error:
        said = of_completion(error.completion)
        said["error"] = {"class": "LengthFinishReasonError"}
        return said
    except openai.OpenAIError as error:
        return failed(error, said)
    except Exception as error:  # What the SDK chokes on is a finding, not the end.
        traceback.print_exc()
        said["error"] = {"class": type(error).__name__, "message": str(error)}
        return said


def main():
    url, plan = sys.argv[1], json.loads(sys.argv[2])
    for protocol, scenario, mode in plan:
        returned = run(url, protocol, scenario, mode)
        print(json.dumps([protocol, scenario, mode, returned]), flush=True)


main()
