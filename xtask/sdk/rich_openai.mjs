// Requests of OpenAI's SDK for JavaScript with everything in them; the same as those of Python.

import { zodFunction, zodResponseFormat, zodResponsesFunction, zodTextFormat } from "openai/helpers/zod";
import { z } from "zod";

const PIXEL =
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
const IMAGE = `data:image/png;base64,${PIXEL}`;
const PDF = "data:application/pdf;base64,JVBERi0xLjQKJSVFT0YK";
const ARGUMENTS = '{"city":"Málaga","days":2}';

const City = z.object({ city: z.string(), degrees: z.number() });
const Weather = z.object({ city: z.string().describe("Its name."), days: z.int() });
const Now = z.object({});

const chatTools = () => [
  zodFunction({ name: "weather", description: "The weather.", parameters: Weather }),
  zodFunction({ name: "now", description: "The time.", parameters: Now }),
];

const chatRequest = () => ({
  model: "gpt-4.1",
  messages: [
    { role: "developer", content: "Be brief." },
    { role: "user", content: "How is Málaga?" },
    { role: "assistant", content: "Which day?" },
    {
      role: "user",
      content: [
        { type: "text", text: "The day of this picture." },
        { type: "image_url", image_url: { url: IMAGE, detail: "high" } },
        { type: "image_url", image_url: { url: "https://example.com/sky.jpg" } },
        { type: "file", file: { filename: "almanac.pdf", file_data: PDF } },
        { type: "input_audio", input_audio: { data: "UklGRg==", format: "wav" } },
      ],
    },
    {
      role: "assistant",
      content: "Let me look.",
      tool_calls: [
        { id: "call_a1", type: "function", function: { name: "weather", arguments: ARGUMENTS } },
        { id: "call_b2", type: "function", function: { name: "now", arguments: "{}" } },
      ],
    },
    { role: "tool", tool_call_id: "call_a1", content: "Sunny." },
    { role: "tool", tool_call_id: "call_b2", content: [{ type: "text", text: "no clock" }] },
    { role: "assistant", refusal: "I will not say.", content: null },
    { role: "user", content: "Well?" },
  ],
  tools: chatTools(),
  tool_choice: { type: "function", function: { name: "weather" } },
  parallel_tool_calls: false,
  response_format: zodResponseFormat(City, "City"),
  max_completion_tokens: 4096,
  temperature: 0.5,
  top_p: 0.9,
  seed: 7,
  presence_penalty: 0.25,
  frequency_penalty: 0.5,
  logprobs: true,
  top_logprobs: 2,
  stop: ["END", "STOP"],
  metadata: { run: "r1", team: "south" },
  prompt_cache_key: "key-1",
  safety_identifier: "user-7",
  service_tier: "flex",
  store: false,
});

const responsesRequest = () => ({
  model: "gpt-4.1",
  instructions: "Be brief.",
  input: [
    { role: "user", content: "How is Málaga?" },
    { role: "assistant", content: "Which day?" },
    {
      role: "user",
      content: [
        { type: "input_text", text: "The day of this picture." },
        { type: "input_image", image_url: IMAGE, detail: "high" },
        { type: "input_image", image_url: "https://example.com/sky.jpg", detail: "auto" },
        { type: "input_file", filename: "almanac.pdf", file_data: PDF },
      ],
    },
    {
      type: "reasoning",
      id: "rs_1",
      summary: [{ type: "summary_text", text: "South means sun." }],
      encrypted_content: "c2VhbGVk/+==",
    },
    {
      type: "message",
      id: "msg_1",
      role: "assistant",
      status: "completed",
      content: [{ type: "output_text", text: "Let me look.", annotations: [] }],
    },
    {
      type: "function_call",
      id: "fc_1",
      call_id: "call_a1",
      name: "weather",
      arguments: ARGUMENTS,
      status: "completed",
    },
    { type: "function_call", call_id: "call_b2", name: "now", arguments: "{}" },
    { type: "function_call_output", call_id: "call_a1", output: "Sunny." },
    {
      type: "function_call_output",
      call_id: "call_b2",
      output: [{ type: "input_text", text: "no clock" }],
    },
    { role: "user", content: "Well?" },
  ],
  tools: [
    zodResponsesFunction({ name: "weather", description: "The weather.", parameters: Weather }),
    {
      type: "function",
      name: "now",
      description: "The time.",
      strict: false,
      parameters: { type: "object", properties: {} },
    },
  ],
  tool_choice: { type: "function", name: "weather" },
  parallel_tool_calls: false,
  max_output_tokens: 4096,
  temperature: 0.5,
  top_p: 0.9,
  top_logprobs: 2,
  include: ["message.output_text.logprobs"],
  metadata: { run: "r1", team: "south" },
  prompt_cache_key: "key-1",
  safety_identifier: "user-7",
  service_tier: "flex",
  store: false,
  truncation: "auto",
  text: { format: zodTextFormat(City, "City") },
});

function without(request, names) {
  return Object.fromEntries(Object.entries(request).filter(([name]) => !names.includes(name)));
}

export async function chat(client, said) {
  await client.chat.completions.parse(chatRequest());
  const asked = { ...chatRequest(), tool_choice: "auto", stop: "END", stream_options: { include_usage: true } };
  await client.chat.completions.stream(asked).done();
  // A model that reasons takes no sampling.
  const sampling = [
    "temperature", "top_p", "presence_penalty", "frequency_penalty", "logprobs", "top_logprobs", "stop",
    "seed",
  ];
  const thinks = { model: "gpt-5", reasoning_effort: "high", verbosity: "low", tool_choice: "required" };
  await client.chat.completions.parse({ ...without(chatRequest(), sampling), ...thinks });
  return said;
}

export async function responses(client, said) {
  await client.responses.parse(responsesRequest());
  const asked = {
    ...without(responsesRequest(), ["temperature", "top_p", "top_logprobs"]),
    model: "gpt-6-sol",
    tool_choice: "auto",
    include: ["reasoning.encrypted_content"],
    reasoning: { effort: "high", summary: "auto" },
    text: { format: zodTextFormat(City, "City"), verbosity: "low" },
  };
  await client.responses.stream(asked).finalResponse();
  return said;
}
