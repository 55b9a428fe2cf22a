"""A request of Cohere's SDK for Python with everything in it."""

PIXEL = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


def request():
    schema = {
        "type": "object",
        "properties": {"city": {"type": "string"}, "days": {"type": "integer"}},
        "required": ["city", "days"],
    }
    return {
        "model": "command-a-03-2025",
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "How is Málaga?"},
            {"role": "assistant", "content": "Which day?"},
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": "The day of this picture."},
                    {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PIXEL}"}},
                    {"type": "image_url", "image_url": {"url": "https://example.com/sky.jpg", "detail": "low"}},
                ],
            },
            {
                "role": "assistant",
                "content": [
                    {"type": "thinking", "thinking": "South means sun."}, {"type": "text", "text": "Let me look."},
                ],
                "tool_plan": "I will look.",
                "tool_calls": [
                    {
                        "id": "call_a1", "type": "function",
                        "function": {"name": "weather", "arguments": "{\"city\":\"Málaga\",\"days\":2}"},
                    },
                    {"id": "call_b2", "type": "function", "function": {"name": "now", "arguments": "{}"}},
                ],
            },
            {
                "role": "tool", "tool_call_id": "call_a1",
                "content": [
                    {"type": "text", "text": "Sunny."},
                    {"type": "document", "document": {"id": "d1", "data": {"text": "21.5 degrees", "title": "Almanac"}}},
                ],
            },
            {"role": "tool", "tool_call_id": "call_b2", "content": "no clock"},
            {"role": "user", "content": "Well?"},
        ],
        "tools": [
            {
                "type": "function",
                "function": {"name": "weather", "description": "The weather.", "parameters": schema},
            },
            {
                "type": "function",
                "function": {
                    "name": "now", "description": "The time.", "parameters": {"type": "object", "properties": {}},
                },
            },
        ],
        "documents": ["Málaga lies by the sea.", {"id": "d2", "data": {"text": "It is warm.", "title": "Guide"}}],
        "strict_tools": True,
        "tool_choice": "REQUIRED",
        "citation_options": {"mode": "FAST"},
        "safety_mode": "STRICT",
        "thinking": {"type": "enabled", "token_budget": 2048},
        "max_tokens": 4096,
        "stop_sequences": ["END", "STOP"],
        "temperature": 0.5,
        "seed": 7,
        "frequency_penalty": 0.5,
        "presence_penalty": 0.25,
        "k": 40,
        "p": 0.9,
        "logprobs": True,
    }


def chat(client, said):
    # The second has a schema, which goes neither with tools nor with documents.
    client.chat(**request())
    asked = request()
    for name in ["tools", "tool_choice", "strict_tools", "documents", "thinking"]:
        del asked[name]
    schema = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
    asked["response_format"] = {"type": "json_object", "json_schema": schema}
    for _ in client.chat_stream(**asked):
        pass
    return said
