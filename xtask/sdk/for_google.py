"""Asks the server with Google's own SDK for Python and prints what the SDK returned, a line of JSON each.

Arguments are those of `for_openai.py`; the modes are `whole`, `raw` and `rich`.
"""

import base64

from google import genai
from google.genai import errors, types

import rich_google
from kit import NOTHING, WEATHER, choked, decoded, main, plain


def request():
    functions = [
        types.FunctionDeclaration(name="weather", parameters_json_schema=WEATHER),
        types.FunctionDeclaration(name="now", parameters_json_schema=NOTHING),
    ]
    config = types.GenerateContentConfig(tools=[types.Tool(function_declarations=functions)])
    return {"model": "asked", "contents": "How is Málaga?", "config": config}


def of_usage(usage):
    thoughts = usage.thoughts_token_count or 0
    return {
        "input": usage.prompt_token_count, "output": (usage.candidates_token_count or 0) + thoughts,
        "total": usage.total_token_count, "cache_read": usage.cached_content_token_count or 0,
        "cache_write": 0, "reasoning": thoughts,
    }


def take(answer, said):
    """Adds a whole answer, or a piece of one."""
    for candidate in answer.candidates or []:
        for part in (candidate.content and candidate.content.parts) or []:
            if part.text:
                said["reasoning" if part.thought else "text"] += part.text
            if part.thought_signature:
                said["seal"] = base64.b64encode(part.thought_signature).decode()
            if part.function_call:
                call = part.function_call
                said["calls"].append([call.id, call.name, call.args or {}])
        if candidate.finish_reason:
            said["finish"] = candidate.finish_reason.value
    if answer.usage_metadata:
        said["usage"] = of_usage(answer.usage_metadata)
    said["model"] = answer.model_version
    return said


def raw(client, said):
    for piece in client.models.generate_content_stream(**request()):
        take(piece, said)
    return said


def interaction():
    tools = [
        {"type": "function", "name": "weather", "parameters": WEATHER},
        {"type": "function", "name": "now", "parameters": NOTHING},
    ]
    return {"model": "asked", "input": "How is Málaga?", "tools": tools}


def end(interaction, said):
    said["finish"] = interaction.status
    said["model"] = interaction.model
    usage = interaction.usage
    if usage:
        thoughts = usage.total_thought_tokens or 0
        said["usage"] = {
            "input": usage.total_input_tokens, "output": (usage.total_output_tokens or 0) + thoughts,
            "total": usage.total_tokens, "cache_read": usage.total_cached_tokens or 0, "cache_write": 0,
            "reasoning": thoughts,
        }
    return said


def whole_interaction(client, said):
    answer = client.interactions.create(**interaction())
    for step in answer.steps or []:
        if step.type == "thought":
            said["reasoning"] += "".join(content.text for content in step.summary or [])
            said["seal"] = step.signature
        elif step.type == "model_output":
            said["text"] += "".join(content.text for content in step.content or [])
        elif step.type == "function_call":
            said["calls"].append([step.id, step.name, step.arguments])
    return end(answer, said)


def raw_interaction(client, said):
    calls = {}
    for event in client.interactions.create(**interaction(), stream=True):
        if event.event_type == "step.start" and event.step.type == "function_call":
            calls[event.index] = [event.step.id, event.step.name, ""]
        elif event.event_type == "step.delta":
            delta = event.delta
            if delta.type == "text":
                said["text"] += delta.text
            elif delta.type == "thought_summary":
                said["reasoning"] += delta.content.text
            elif delta.type == "thought_signature":
                said["seal"] = delta.signature
            elif delta.type == "arguments_delta":
                calls[event.index][2] += delta.arguments
        elif event.event_type == "interaction.completed":
            end(event.interaction, said)
        elif event.event_type == "error":
            said["error"] = {
                "class": "error", "status": None, "message": event.error.message, "kind": event.error.code,
                "request_id": None,
            }
    said["calls"] = [[id, name, decoded(text)] for id, name, text in calls.values()]
    return said


INTERACTION_WAYS = {"whole": whole_interaction, "raw": raw_interaction, "rich": rich_google.interact}

WAYS = {
    "whole": lambda client, said: take(client.models.generate_content(**request()), said),
    "raw": raw,
    "rich": rich_google.generate,
}


def run(url, protocol, scenario, mode):
    options = types.HttpOptions(
        base_url=f"{url}/{scenario}", api_version="v1beta", timeout=20_000,
        retry_options=types.HttpRetryOptions(attempts=1),
    )
    said = plain()
    try:
        ways = WAYS if protocol == "gemini" else INTERACTION_WAYS
        return ways[mode](genai.Client(api_key="sk-test", http_options=options), said)
    except errors.APIError as error:
        said["error"] = {
            "class": type(error).__name__, "status": error.code, "message": error.message,
            "kind": error.status, "request_id": None,
        }
        return said
    except Exception as error:
        status = getattr(error, "status_code", None)
        if status is None:
            return choked(error, said)
        # The errors of interactions are classes of their own.
        body = error.body if isinstance(getattr(error, "body", None), dict) else {}
        inner = body.get("error") or body
        said["error"] = {
            "class": type(error).__name__, "status": status, "message": inner.get("message", str(error)),
            "kind": inner.get("code"), "request_id": None,
        }
        return said


main(run)
