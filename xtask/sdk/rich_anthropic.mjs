// A request of Anthropic's SDK for JavaScript with everything in it; the same as that of Python.

import { zodOutputFormat } from "@anthropic-ai/sdk/helpers/zod";
import { z } from "zod";

const PIXEL =
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
const PDF = "JVBERi0xLjQKJSVFT0YK";

const City = z.object({ city: z.string(), degrees: z.number() });

const request = () => ({
  model: "claude-opus-4-6",
  max_tokens: 4096,
  system: [{ type: "text", text: "Be brief.", cache_control: { type: "ephemeral" } }],
  messages: [
    { role: "user", content: "How is Málaga?" },
    { role: "assistant", content: "Which day?" },
    {
      role: "user",
      content: [
        { type: "text", text: "The day of this picture." },
        { type: "image", source: { type: "base64", media_type: "image/png", data: PIXEL } },
        { type: "image", source: { type: "url", url: "https://example.com/sky.jpg" } },
        {
          type: "document",
          source: { type: "base64", media_type: "application/pdf", data: PDF },
          title: "Almanac",
          cache_control: { type: "ephemeral", ttl: "1h" },
        },
      ],
    },
    {
      role: "assistant",
      content: [
        { type: "thinking", thinking: "South means sun.", signature: "c2VhbGVk/+==" },
        { type: "redacted_thinking", data: "cmVkYWN0ZWQ=" },
        { type: "text", text: "Let me look." },
        { type: "tool_use", id: "toolu_a1", name: "weather", input: { city: "Málaga", days: 2 } },
        { type: "tool_use", id: "toolu_b2", name: "now", input: {} },
      ],
    },
    {
      role: "user",
      content: [
        {
          type: "tool_result",
          tool_use_id: "toolu_a1",
          content: [
            { type: "text", text: "Sunny." },
            { type: "image", source: { type: "base64", media_type: "image/png", data: PIXEL } },
          ],
        },
        { type: "tool_result", tool_use_id: "toolu_b2", content: "no clock", is_error: true },
        { type: "text", text: "Well?" },
      ],
    },
  ],
  tools: [
    {
      name: "weather",
      description: "The weather.",
      input_schema: {
        type: "object",
        properties: { city: { type: "string" }, days: { type: "integer" } },
        required: ["city", "days"],
        additionalProperties: false,
      },
      strict: true,
    },
    {
      name: "now",
      description: "The time.",
      input_schema: { type: "object", properties: {} },
      cache_control: { type: "ephemeral" },
    },
  ],
  tool_choice: { type: "auto", disable_parallel_tool_use: true },
  thinking: { type: "enabled", budget_tokens: 2048 },
  stop_sequences: ["END", "STOP"],
  metadata: { user_id: "user-7" },
  service_tier: "auto",
});

export async function messages(client, said) {
  // The first has a budget of reasoning, the second a schema and the settings that reasoning forbids, the third an
  // effort.
  await client.messages.create(request());
  const { thinking, ...asked } = request();
  const settings = {
    // Newer models take no temperature.
    temperature: 0.5,
    tool_choice: { type: "tool", name: "weather" },
    system: "Be brief.",
    output_config: { format: zodOutputFormat(City) },
  };
  await client.messages.stream({ ...asked, ...settings }).done();
  const newest = {
    model: "claude-opus-5-5", thinking: { type: "adaptive" }, output_config: { effort: "high" },
  };
  await client.messages.create({ ...request(), ...newest });
  return said;
}
