"""Asks the server with Amazon's own SDK for Python and prints what the SDK returned, a line of JSON each.

Arguments and modes are those of `for_openai.py`; the SDK puts no stream together, so there is no `helper`.
"""

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

import rich_bedrock
from kit import NOTHING, WEATHER, choked, decoded, main, plain


def request():
    functions = [("weather", WEATHER), ("now", NOTHING)]
    return {
        "modelId": "us.asked:0", "messages": [{"role": "user", "content": [{"text": "How is Málaga?"}]}],
        "toolConfig": {
            "tools": [
                {"toolSpec": {"name": name, "inputSchema": {"json": parameters}}} for name, parameters in functions
            ],
        },
    }


def of_usage(usage):
    return {
        "input": usage["inputTokens"], "output": usage["outputTokens"], "total": usage["totalTokens"],
        "cache_read": usage.get("cacheReadInputTokens", 0), "cache_write": usage.get("cacheWriteInputTokens", 0),
    }


def whole(client, said):
    answer = client.converse(**request())
    for block in answer["output"]["message"]["content"]:
        if "text" in block:
            said["text"] += block["text"]
        elif "reasoningContent" in block:
            reasoning = block["reasoningContent"]["reasoningText"]
            said["reasoning"], said["seal"] = reasoning["text"], reasoning.get("signature")
        elif "toolUse" in block:
            call = block["toolUse"]
            said["calls"].append([call["toolUseId"], call["name"], call["input"]])
    said["finish"], said["usage"] = answer["stopReason"], of_usage(answer["usage"])
    return said


def raw(client, said):
    calls = {}
    for event in client.converse_stream(**request())["stream"]:
        if "contentBlockStart" in event:
            call = event["contentBlockStart"]["start"]["toolUse"]
            calls[event["contentBlockStart"]["contentBlockIndex"]] = [call["toolUseId"], call["name"], ""]
        elif "contentBlockDelta" in event:
            delta = event["contentBlockDelta"]["delta"]
            said["text"] += delta.get("text", "")
            reasoning = delta.get("reasoningContent", {})
            said["reasoning"] += reasoning.get("text", "")
            said["seal"] = reasoning.get("signature", said["seal"])
            if "toolUse" in delta:
                calls[event["contentBlockDelta"]["contentBlockIndex"]][2] += delta["toolUse"]["input"]
        elif "messageStop" in event:
            said["finish"] = event["messageStop"]["stopReason"]
        elif "metadata" in event:
            said["usage"] = of_usage(event["metadata"]["usage"])
    said["calls"] = [[id, name, decoded(text)] for id, name, text in calls.values()]
    return said


WAYS = {"whole": whole, "raw": raw, "rich": rich_bedrock.converse}


def failed(error, said):
    told, about = error.response.get("Error", {}), error.response.get("ResponseMetadata", {})
    said["error"] = {
        "class": type(error).__name__, "status": about.get("HTTPStatusCode"), "message": told.get("Message"),
        "kind": told.get("Code"), "request_id": about.get("RequestId"),
    }
    return said


def run(url, _, scenario, mode):
    client = boto3.client(
        "bedrock-runtime", endpoint_url=f"{url}/{scenario}", region_name="us-east-1",
        aws_access_key_id="AKIDTEST", aws_secret_access_key="secret-test",
        config=Config(retries={"total_max_attempts": 1}, read_timeout=20),
    )
    said = plain()
    try:
        return WAYS[mode](client, said)
    except ClientError as error:
        return failed(error, said)
    except Exception as error:
        return choked(error, said)


main(run)
