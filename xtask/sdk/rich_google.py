"""Requests of Google's SDK for Python with everything in them."""

import base64

from google.genai import types

PIXEL = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
PDF = "JVBERi0xLjQKJSVFT0YK"
WEATHER = {
    "type": "object",
    "properties": {"city": {"type": "string"}, "days": {"type": "integer"}},
    "required": ["city", "days"],
}
CITY = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}


def config():
    functions = [
        types.FunctionDeclaration(name="weather", description="The weather.", parameters_json_schema=WEATHER),
        types.FunctionDeclaration(name="now", description="The time."),
    ]
    return {
        "system_instruction": "Be brief.",
        "tools": [types.Tool(function_declarations=functions)],
        "tool_config": types.ToolConfig(
            function_calling_config=types.FunctionCallingConfig(mode="ANY", allowed_function_names=["weather"]),
        ),
        "thinking_config": types.ThinkingConfig(include_thoughts=True, thinking_budget=2048),
        "safety_settings": [
            types.SafetySetting(category="HARM_CATEGORY_HARASSMENT", threshold="BLOCK_ONLY_HIGH"),
        ],
        "temperature": 0.5,
        "top_p": 0.9,
        "top_k": 40,
        "seed": 7,
        "max_output_tokens": 4096,
        "stop_sequences": ["END", "STOP"],
        "presence_penalty": 0.25,
        "frequency_penalty": 0.5,
        "response_logprobs": True,
        "logprobs": 2,
    }


def contents():
    part = types.Part
    return [
        types.Content(role="user", parts=[part(text="How is Málaga?")]),
        types.Content(role="model", parts=[part(text="Which day?")]),
        types.Content(role="user", parts=[
            part(text="The day of this picture."),
            part.from_bytes(data=base64.b64decode(PIXEL), mime_type="image/png"),
            part.from_bytes(data=base64.b64decode(PDF), mime_type="application/pdf"),
            part.from_uri(file_uri="https://example.com/sky.jpg", mime_type="image/jpeg"),
        ]),
        types.Content(role="model", parts=[
            part(text="South means sun.", thought=True),
            part(text="Let me look.", thought_signature=b"one"),
            part(
                function_call=types.FunctionCall(id="call_a1", name="weather", args={"city": "Málaga", "days": 2}),
                thought_signature=b"two",
            ),
            part(function_call=types.FunctionCall(id="call_b2", name="now", args={})),
        ]),
        types.Content(role="user", parts=[
            part(function_response=types.FunctionResponse(id="call_a1", name="weather", response={"output": "Sunny."})),
            part(function_response=types.FunctionResponse(id="call_b2", name="now", response={"error": "no clock"})),
            part(text="Well?"),
        ]),
    ]


def generate(client, said):
    asked = {"model": "gemini-2.5-flash", "contents": contents()}
    client.models.generate_content(**asked, config=types.GenerateContentConfig(**config()))
    # The second has a schema in place of tools, and a level in place of a budget.
    settings = {name: value for name, value in config().items() if not name.startswith("tool")}
    settings |= {
        "response_mime_type": "application/json", "response_json_schema": CITY,
        "thinking_config": types.ThinkingConfig(thinking_level="LOW"),
    }
    asked["model"] = "gemini-3-pro-preview"
    for _ in client.models.generate_content_stream(**asked, config=types.GenerateContentConfig(**settings)):
        pass
    return said


def interaction():
    def text(words):
        return {"type": "text", "text": words}

    return {
        "model": "gemini-3-pro-preview",
        "system_instruction": "Be brief.",
        "input": [
            {"type": "user_input", "content": [text("How is Málaga?")]},
            {"type": "model_output", "content": [text("Which day?")]},
            {"type": "user_input", "content": [
                text("The day of this picture."),
                {"type": "image", "data": PIXEL, "mime_type": "image/png"},
                {"type": "image", "uri": "https://example.com/sky.jpg", "mime_type": "image/jpeg"},
                {"type": "document", "data": PDF, "mime_type": "application/pdf"},
            ]},
            {"type": "thought", "signature": "c2VhbA==", "summary": [text("South means sun.")]},
            {"type": "model_output", "content": [text("Let me look.")]},
            {"type": "function_call", "id": "call_a1", "name": "weather", "arguments": {"city": "Málaga", "days": 2}},
            {"type": "function_call", "id": "call_b2", "name": "now", "arguments": {}},
            {"type": "function_result", "call_id": "call_a1", "name": "weather", "result": "Sunny."},
            {"type": "function_result", "call_id": "call_b2", "name": "now", "result": "no clock", "is_error": True},
            {"type": "user_input", "content": [text("Well?")]},
        ],
        "tools": [
            {"type": "function", "name": "weather", "description": "The weather.", "parameters": WEATHER},
            {"type": "function", "name": "now", "description": "The time.", "parameters": {"type": "object"}},
        ],
        "generation_config": {
            "temperature": 0.5, "top_p": 0.9, "seed": 7, "stop_sequences": ["END", "STOP"],
            "max_output_tokens": 4096, "thinking_level": "high", "thinking_summaries": "auto",
            "tool_choice": {"allowed_tools": {"mode": "any", "tools": ["weather"]}},
        },
        "store": False,
    }


def interact(client, said):
    client.interactions.create(**interaction())
    asked = {name: value for name, value in interaction().items() if name != "tools"}
    asked["generation_config"] = {"max_output_tokens": 4096, "thinking_level": "low"}
    asked["response_format"] = {"type": "text", "mime_type": "application/json", "schema": CITY}
    for _ in client.interactions.create(**asked, stream=True):
        pass
    return said
