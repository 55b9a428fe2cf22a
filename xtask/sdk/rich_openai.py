"""Requests of OpenAI's SDK for Python with everything in them."""

from pydantic import BaseModel, Field

import openai

PIXEL = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
IMAGE = f"data:image/png;base64,{PIXEL}"
PDF = "data:application/pdf;base64,JVBERi0xLjQKJSVFT0YK"
ARGUMENTS = '{"city":"Málaga","days":2}'


class City(BaseModel):
    city: str
    degrees: float


class Weather(BaseModel):
    """The weather."""

    city: str = Field(description="Its name.")
    days: int


class Now(BaseModel):
    """The time."""


def chat_request():
    weather = openai.pydantic_function_tool(Weather, name="weather", description="The weather.")
    now = openai.pydantic_function_tool(Now, name="now", description="The time.")
    return {
        "model": "gpt-4.1",
        "messages": [
            {"role": "developer", "content": "Be brief."},
            {"role": "user", "content": "How is Málaga?"},
            {"role": "assistant", "content": "Which day?"},
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": "The day of this picture."},
                    {"type": "image_url", "image_url": {"url": IMAGE, "detail": "high"}},
                    {"type": "image_url", "image_url": {"url": "https://example.com/sky.jpg"}},
                    {"type": "file", "file": {"filename": "almanac.pdf", "file_data": PDF}},
                    {"type": "input_audio", "input_audio": {"data": "UklGRg==", "format": "wav"}},
                ],
            },
            {
                "role": "assistant",
                "content": "Let me look.",
                "tool_calls": [
                    {
                        "id": "call_a1", "type": "function",
                        "function": {"name": "weather", "arguments": ARGUMENTS},
                    },
                    {"id": "call_b2", "type": "function", "function": {"name": "now", "arguments": "{}"}},
                ],
            },
            {"role": "tool", "tool_call_id": "call_a1", "content": "Sunny."},
            {
                "role": "tool", "tool_call_id": "call_b2",
                "content": [{"type": "text", "text": "no clock"}],
            },
            {"role": "assistant", "refusal": "I will not say.", "content": None},
            {"role": "user", "content": "Well?"},
        ],
        "tools": [weather, now],
        "tool_choice": {"type": "function", "function": {"name": "weather"}},
        "parallel_tool_calls": False,
        "response_format": City,
        "max_completion_tokens": 4096,
        "temperature": 0.5,
        "top_p": 0.9,
        "seed": 7,
        "presence_penalty": 0.25,
        "frequency_penalty": 0.5,
        "logprobs": True,
        "top_logprobs": 2,
        "stop": ["END", "STOP"],
        "metadata": {"run": "r1", "team": "south"},
        "prompt_cache_key": "key-1",
        "safety_identifier": "user-7",
        "service_tier": "flex",
        "store": False,
    }


def without(request, names):
    return {name: value for name, value in request.items() if name not in names}


def chat(client, said):
    client.chat.completions.parse(**chat_request())
    asked = chat_request() | {"tool_choice": "auto", "stop": "END"}
    with client.chat.completions.stream(**asked, stream_options={"include_usage": True}) as stream:
        stream.until_done()
    # A model that reasons takes no sampling.
    sampling = [
        "temperature", "top_p", "presence_penalty", "frequency_penalty", "logprobs", "top_logprobs", "stop",
        "seed",
    ]
    asked = without(chat_request(), sampling)
    asked |= {"model": "gpt-5", "reasoning_effort": "high", "verbosity": "low", "tool_choice": "required"}
    client.chat.completions.parse(**asked)
    return said


def responses_request():
    weather = openai.pydantic_function_tool(Weather, name="weather", description="The weather.")["function"]
    return {
        "model": "gpt-4.1",
        "instructions": "Be brief.",
        "input": [
            {"role": "user", "content": "How is Málaga?"},
            {"role": "assistant", "content": "Which day?"},
            {
                "role": "user",
                "content": [
                    {"type": "input_text", "text": "The day of this picture."},
                    {"type": "input_image", "image_url": IMAGE, "detail": "high"},
                    {"type": "input_image", "image_url": "https://example.com/sky.jpg", "detail": "auto"},
                    {"type": "input_file", "filename": "almanac.pdf", "file_data": PDF},
                ],
            },
            {
                "type": "reasoning", "id": "rs_1",
                "summary": [{"type": "summary_text", "text": "South means sun."}],
                "encrypted_content": "c2VhbGVk/+==",
            },
            {
                "type": "message", "id": "msg_1", "role": "assistant", "status": "completed",
                "content": [{"type": "output_text", "text": "Let me look.", "annotations": []}],
            },
            {
                "type": "function_call", "id": "fc_1", "call_id": "call_a1", "name": "weather",
                "arguments": ARGUMENTS, "status": "completed",
            },
            {"type": "function_call", "call_id": "call_b2", "name": "now", "arguments": "{}"},
            {"type": "function_call_output", "call_id": "call_a1", "output": "Sunny."},
            {
                "type": "function_call_output", "call_id": "call_b2",
                "output": [{"type": "input_text", "text": "no clock"}],
            },
            {"role": "user", "content": "Well?"},
        ],
        "tools": [
            {"type": "function", **weather},
            {
                "type": "function", "name": "now", "description": "The time.", "strict": False,
                "parameters": {"type": "object", "properties": {}},
            },
        ],
        "tool_choice": {"type": "function", "name": "weather"},
        "parallel_tool_calls": False,
        "text_format": City,
        "max_output_tokens": 4096,
        "temperature": 0.5,
        "top_p": 0.9,
        "top_logprobs": 2,
        "include": ["message.output_text.logprobs"],
        "metadata": {"run": "r1", "team": "south"},
        "prompt_cache_key": "key-1",
        "safety_identifier": "user-7",
        "service_tier": "flex",
        "store": False,
        "truncation": "auto",
    }


def responses(client, said):
    client.responses.parse(**responses_request())
    asked = without(responses_request(), ["temperature", "top_p", "top_logprobs"])
    asked |= {
        "model": "gpt-6-sol", "tool_choice": "auto", "include": ["reasoning.encrypted_content"],
        "reasoning": {"effort": "high", "summary": "auto"}, "text": {"verbosity": "low"},
    }
    with client.responses.stream(**asked) as stream:
        stream.until_done()
    return said
