// A request of Ollama's SDK for JavaScript with everything in it.

const PIXEL =
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

const request = () => ({
  model: "qwen3",
  messages: [
    { role: "system", content: "Be brief." },
    { role: "user", content: "How is Málaga?" },
    { role: "assistant", content: "Which day?" },
    { role: "user", content: "The day of this picture.", images: [PIXEL] },
    {
      role: "assistant",
      content: "Let me look.",
      thinking: "South means sun.",
      tool_calls: [
        { function: { name: "weather", arguments: { city: "Málaga", days: 2 } } },
        { function: { name: "now", arguments: {} } },
      ],
    },
    { role: "tool", tool_name: "weather", content: "Sunny." },
    { role: "tool", tool_name: "now", content: "no clock" },
    { role: "user", content: "Well?" },
  ],
  tools: [
    {
      type: "function",
      function: {
        name: "weather", description: "The weather.",
        parameters: {
          type: "object",
          properties: { city: { type: "string" }, days: { type: "integer" } },
          required: ["city", "days"],
        },
      },
    },
  ],
  think: "high",
  keep_alive: "5m",
  options: {
    num_predict: 4096, num_ctx: 8192, temperature: 0.5, top_p: 0.9, top_k: 40, seed: 7, stop: ["END", "STOP"],
    presence_penalty: 0.25, frequency_penalty: 0.5, min_p: 0.1,
  },
});

export async function chat(client, said) {
  await client.chat(request());
  const format = { type: "object", properties: { city: { type: "string" } } };
  for await (const _ of await client.chat({ ...request(), think: false, format, stream: true }));
  return said;
}
