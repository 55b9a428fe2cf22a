"""A request of Mistral's SDK for Python with everything in it."""

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
        "model": "mistral-medium-latest",
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "How is Málaga?"},
            {"role": "assistant", "content": "Which day?"},
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": "The day of this picture."},
                    {"type": "image_url", "image_url": f"data:image/png;base64,{PIXEL}"},
                    {"type": "image_url", "image_url": {"url": "https://example.com/sky.jpg", "detail": "low"}},
                    {
                        "type": "document_url", "document_url": "https://example.com/almanac.pdf",
                        "document_name": "almanac.pdf",
                    },
                    {"type": "input_audio", "input_audio": "UklGRg=="},
                ],
            },
            {
                "role": "assistant",
                "content": [
                    {"type": "thinking", "thinking": [{"type": "text", "text": "South means sun."}]},
                    {"type": "text", "text": "Let me look."},
                ],
                "tool_calls": [
                    {
                        "id": "call0000a", "type": "function",
                        "function": {"name": "weather", "arguments": "{\"city\":\"Málaga\",\"days\":2}"},
                    },
                    {"id": "call0000b", "type": "function", "function": {"name": "now", "arguments": "{}"}},
                ],
            },
            {"role": "tool", "tool_call_id": "call0000a", "name": "weather", "content": "Sunny."},
            {
                "role": "tool", "tool_call_id": "call0000b", "name": "now",
                "content": [{"type": "text", "text": "no clock"}],
            },
            {"role": "user", "content": "Well?"},
        ],
        "tools": [
            {
                "type": "function",
                "function": {
                    "name": "weather", "description": "The weather.", "parameters": schema, "strict": True,
                },
            },
            {
                "type": "function",
                "function": {
                    "name": "now", "description": "The time.", "parameters": {"type": "object", "properties": {}},
                },
            },
        ],
        "tool_choice": {"type": "function", "function": {"name": "weather"}},
        "parallel_tool_calls": False,
        "temperature": 0.5,
        "top_p": 0.9,
        "random_seed": 7,
        "max_tokens": 4096,
        "stop": ["END", "STOP"],
        "presence_penalty": 0.25,
        "frequency_penalty": 0.5,
        "metadata": {"run": "r1", "team": "south"},
        "prompt_cache_key": "key-1",
        "safe_prompt": True,
    }


def chat(client, said):
    client.chat.complete(**request())
    asked = request() | {"tool_choice": "any", "stop": "END", "reasoning_effort": "high"}
    asked["response_format"] = {
        "type": "json_schema",
        "json_schema": {
            "name": "City", "strict": True,
            "schema": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
        },
    }
    for _ in client.chat.stream(**asked):
        pass
    return said
