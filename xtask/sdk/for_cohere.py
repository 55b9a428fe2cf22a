"""Asks the server with Cohere's own SDK for Python and prints what the SDK returned, a line of JSON each.

Arguments and modes are those of `for_openai.py`; the SDK puts no stream together, so there is no `helper`.
"""

import cohere
from cohere.core.api_error import ApiError

import rich_cohere
from kit import chat_request, choked, decoded, main, plain


def of_usage(usage):
    return usage and {
        "input": usage.tokens.input_tokens, "output": usage.tokens.output_tokens,
        "cache_read": usage.cached_tokens or 0,
    }


def of_block(block, said):
    if block.type == "text":
        said["text"] += block.text
    elif block.type == "thinking":
        said["reasoning"] += block.thinking


def whole(client, said):
    answer = client.chat(**chat_request())
    for block in answer.message.content or []:
        of_block(block, said)
    for call in answer.message.tool_calls or []:
        said["calls"].append([call.id, call.function.name, decoded(call.function.arguments)])
    said["finish"], said["usage"] = answer.finish_reason, of_usage(answer.usage)
    return said


def raw(client, said):
    arguments = {}
    for event in client.chat_stream(**chat_request()):
        if event.type == "content-delta":
            said["text"] += event.delta.message.content.text or ""
            said["reasoning"] += event.delta.message.content.thinking or ""
        elif event.type == "tool-call-start":
            call = event.delta.message.tool_calls
            arguments[event.index] = [call.id, call.function.name, call.function.arguments or ""]
        elif event.type == "tool-call-delta":
            arguments[event.index][2] += event.delta.message.tool_calls.function.arguments
        elif event.type == "message-end":
            if event.delta.finish_reason == "ERROR":
                said["error"] = {
                    "class": "message-end", "status": None, "message": event.delta.error, "kind": "ERROR",
                    "request_id": None,
                }
                return said
            said["finish"], said["usage"] = event.delta.finish_reason, of_usage(event.delta.usage)
    said["calls"] = [[id, name, decoded(text)] for id, name, text in arguments.values()]
    return said


WAYS = {"whole": whole, "raw": raw, "rich": rich_cohere.chat}


def failed(error, said):
    body = error.body if isinstance(error.body, dict) else {}
    said["error"] = {
        "class": type(error).__name__, "status": error.status_code, "message": body.get("message"), "kind": None,
        "request_id": body.get("id"),
    }
    return said


def run(url, _, scenario, mode):
    client = cohere.ClientV2(api_key="sk-test", base_url=f"{url}/{scenario}", timeout=20)
    said = plain()
    try:
        return WAYS[mode](client, said)
    except ApiError as error:
        return failed(error, said)
    except Exception as error:
        return choked(error, said)


main(run)
