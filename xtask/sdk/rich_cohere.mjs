// A request of Cohere's SDK for JavaScript with everything in it.

const PIXEL =
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

const request = () => ({
  model: "command-a-03-2025",
  messages: [
    { role: "system", content: "Be brief." },
    { role: "user", content: "How is Málaga?" },
    { role: "assistant", content: "Which day?" },
    {
      role: "user",
      content: [
        { type: "text", text: "The day of this picture." },
        { type: "image_url", imageUrl: { url: `data:image/png;base64,${PIXEL}` } },
        { type: "image_url", imageUrl: { url: "https://example.com/sky.jpg", detail: "low" } },
      ],
    },
    {
      role: "assistant",
      content: [
        { type: "thinking", thinking: "South means sun." },
        { type: "text", text: "Let me look." },
      ],
      toolPlan: "I will look.",
      toolCalls: [
        {
          id: "call_a1", type: "function",
          function: { name: "weather", arguments: '{"city":"Málaga","days":2}' },
        },
        { id: "call_b2", type: "function", function: { name: "now", arguments: "{}" } },
      ],
    },
    {
      role: "tool", toolCallId: "call_a1",
      content: [
        { type: "text", text: "Sunny." },
        { type: "document", document: { id: "d1", data: { text: "21.5 degrees", title: "Almanac" } } },
      ],
    },
    { role: "tool", toolCallId: "call_b2", content: "no clock" },
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
    {
      type: "function",
      function: { name: "now", description: "The time.", parameters: { type: "object", properties: {} } },
    },
  ],
  documents: ["Málaga lies by the sea.", { id: "d2", data: { text: "It is warm.", title: "Guide" } }],
  strictTools: true,
  toolChoice: "REQUIRED",
  citationOptions: { mode: "FAST" },
  safetyMode: "STRICT",
  thinking: { type: "enabled", tokenBudget: 2048 },
  maxTokens: 4096,
  stopSequences: ["END", "STOP"],
  temperature: 0.5,
  seed: 7,
  frequencyPenalty: 0.5,
  presencePenalty: 0.25,
  k: 40,
  p: 0.9,
  logprobs: true,
});

export async function chat(client, said) {
  await client.chat(request());
  // The second has a schema, which goes neither with tools nor with documents.
  const { tools, toolChoice, strictTools, documents, thinking, ...asked } = request();
  const schema = { type: "object", properties: { city: { type: "string" } }, required: ["city"] };
  asked.responseFormat = { type: "json_object", jsonSchema: schema };
  for await (const _ of await client.chatStream(asked));
  return said;
}
