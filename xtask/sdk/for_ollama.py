"""Asks the server with Ollama's own SDK for Python and prints what the SDK returned, a line of JSON each.

Arguments and modes are those of `for_openai.py`; the SDK puts no stream together, so there is no `helper`. It keeps no ids of
calls.
"""

import ollama

import rich_ollama
from kit import chat_request, choked, main, plain


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
    for answer in client.chat(**chat_request(), stream=True):
        take(answer, said)
    return said


WAYS = {"whole": lambda client, said: take(client.chat(**chat_request()), said), "raw": raw, "rich": rich_ollama.chat}


def failed(error, said):
    said["error"] = {
        "class": type(error).__name__, "status": error.status_code if error.status_code > 0 else None,
        "message": error.error, "kind": None, "request_id": None,
    }
    return said


def run(url, _, scenario, mode):
    client = ollama.Client(host=f"{url}/{scenario}", timeout=20)
    said = plain()
    try:
        return WAYS[mode](client, said)
    except ollama.ResponseError as error:
        return failed(error, said)
    except Exception as error:
        return choked(error, said)


main(run)
