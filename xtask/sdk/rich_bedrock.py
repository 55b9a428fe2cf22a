"""A request of Amazon's SDK for Python with everything in it."""

import base64

PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


def request():
    schema = {
        "type": "object",
        "properties": {"city": {"type": "string"}, "days": {"type": "integer"}},
        "required": ["city", "days"],
    }
    return {
        "modelId": "us.anthropic.claude-opus-4-8",
        "system": [{"text": "Be brief."}, {"cachePoint": {"type": "default"}}],
        "messages": [
            {"role": "user", "content": [
                {"text": "How is Málaga?"},
                {"image": {"format": "png", "source": {"bytes": PIXEL}}},
                {"document": {"name": "plan", "format": "pdf", "source": {"bytes": b"%PDF-1.4 little"}}},
                {"video": {"format": "mp4", "source": {"s3Location": {"uri": "s3://bucket/sky.mp4"}}}},
            ]},
            {"role": "assistant", "content": [
                {"reasoningContent": {"reasoningText": {"text": "South means sun.", "signature": "c2VhbA=="}}},
                {"reasoningContent": {"redactedContent": b"sealed"}},
                {"text": "Let me look."},
                {"toolUse": {"toolUseId": "tooluse_a1", "name": "weather", "input": {"city": "Málaga", "days": 2}}},
                {"toolUse": {"toolUseId": "tooluse_b2", "name": "now", "input": {}}},
            ]},
            {"role": "user", "content": [
                {"toolResult": {"toolUseId": "tooluse_a1", "content": [
                    {"text": "Sunny."}, {"json": {"degrees": 21}}, {"image": {"format": "png", "source": {"bytes": PIXEL}}},
                ]}},
                {"toolResult": {"toolUseId": "tooluse_b2", "content": [{"text": "no clock"}], "status": "error"}},
                {"text": "Well?"},
                {"guardContent": {"text": {"text": "Well?", "qualifiers": ["query"]}}},
            ]},
        ],
        "toolConfig": {
            "tools": [
                {"toolSpec": {"name": "weather", "description": "The weather.", "inputSchema": {"json": schema}}},
                {"cachePoint": {"type": "default"}},
            ],
            "toolChoice": {"tool": {"name": "weather"}},
        },
        "inferenceConfig": {"maxTokens": 4096, "stopSequences": ["END", "STOP"]},
        "guardrailConfig": {"guardrailIdentifier": "g1", "guardrailVersion": "1", "trace": "enabled"},
        "additionalModelRequestFields": {"anthropic_beta": ["x-1"]},
        "additionalModelResponseFieldPaths": ["/stop_sequence"],
        "requestMetadata": {"team": "south", "run": "r1"},
        "performanceConfig": {"latency": "optimized"},
    }


def converse(client, said):
    client.converse(**request())
    for _ in client.converse_stream(**request())["stream"]:
        pass
    return said
