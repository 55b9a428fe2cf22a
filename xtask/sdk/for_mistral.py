"""Asks the server with Mistral's own SDK for Python and prints what the SDK returned, a line of JSON each.

Arguments and modes are those of `for_openai.py`; the SDK puts no stream together, so there is no `helper`.
"""

import json

from mistralai.client import Mistral
from mistralai.client.errors import MistralError, ResponseValidationError

import rich_mistral
from kit import chat_request, choked, decoded, main, plain


def of_content(content, said):
    """Text, or chunks of text and thinking."""
    if isinstance(content, str):
        said["text"] += content
        return
    for chunk in content or []:
        if chunk.type == "text":
            said["text"] += chunk.text
        elif chunk.type == "thinking":
            said["reasoning"] += "".join(inner.text for inner in chunk.thinking)


def of_usage(usage):
    return {"input": usage.prompt_tokens, "output": usage.completion_tokens, "total": usage.total_tokens}


def whole(client, said):
    answer = client.chat.complete(**chat_request())
    choice = answer.choices[0]
    of_content(choice.message.content, said)
    for call in choice.message.tool_calls or []:
        said["calls"].append([call.id, call.function.name, decoded(call.function.arguments)])
    said["finish"], said["model"], said["usage"] = choice.finish_reason, answer.model, of_usage(answer.usage)
    return said


def raw(client, said):
    calls = {}
    for event in client.chat.stream(**chat_request()):
        said["model"] = event.data.model
        if event.data.usage:
            said["usage"] = of_usage(event.data.usage)
        for choice in event.data.choices:
            of_content(choice.delta.content, said)
            for call in choice.delta.tool_calls or []:
                kept = calls.setdefault(call.index, [None, "", ""])
                # A piece that has no id of its own has this word in its place.
                kept[0] = call.id if call.id != "null" else kept[0]
                kept[1] = call.function.name or kept[1]
                kept[2] += call.function.arguments
            said["finish"] = choice.finish_reason or said["finish"]
    said["calls"] = [[id, name, decoded(text)] for id, name, text in calls.values()]
    return said


WAYS = {"whole": whole, "raw": raw, "rich": rich_mistral.chat}


def failed(error, said):
    """The SDK leaves the body as it came."""
    body = json.loads(error.body)
    body = body.get("error", body)
    said["error"] = {
        "class": type(error).__name__, "status": error.status_code, "message": body.get("message"),
        "kind": body.get("type"), "request_id": error.headers.get("x-request-id"),
    }
    return said


def run(url, _, scenario, mode):
    client = Mistral(api_key="sk-test", server_url=f"{url}/{scenario}/mistral", timeout_ms=20_000)
    said = plain()
    try:
        return WAYS[mode](client, said)
    except ResponseValidationError as error:
        # A frame that it cannot read, as is every error in the middle of a stream.
        said["error"] = {"class": type(error).__name__}
        return said
    except MistralError as error:
        return failed(error, said)
    except Exception as error:
        return choked(error, said)


main(run)
