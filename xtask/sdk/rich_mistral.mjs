// A request of Mistral's SDK for JavaScript with everything in it.

const PIXEL =
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

const request = () => ({
  model: "mistral-medium-latest",
  messages: [
    { role: "system", content: "Be brief." },
    { role: "user", content: "How is Málaga?" },
    { role: "assistant", content: "Which day?" },
    {
      role: "user",
      content: [
        { type: "text", text: "The day of this picture." },
        { type: "image_url", imageUrl: `data:image/png;base64,${PIXEL}` },
        { type: "image_url", imageUrl: { url: "https://example.com/sky.jpg", detail: "low" } },
        { type: "document_url", documentUrl: "https://example.com/almanac.pdf", documentName: "almanac.pdf" },
        { type: "input_audio", inputAudio: "UklGRg==" },
      ],
    },
    {
      role: "assistant",
      content: [
        { type: "thinking", thinking: [{ type: "text", text: "South means sun." }] },
        { type: "text", text: "Let me look." },
      ],
      toolCalls: [
        {
          id: "call0000a", type: "function",
          function: { name: "weather", arguments: '{"city":"Málaga","days":2}' },
        },
        { id: "call0000b", type: "function", function: { name: "now", arguments: "{}" } },
      ],
    },
    { role: "tool", toolCallId: "call0000a", name: "weather", content: "Sunny." },
    { role: "tool", toolCallId: "call0000b", name: "now", content: [{ type: "text", text: "no clock" }] },
    { role: "user", content: "Well?" },
  ],
  tools: [
    {
      type: "function",
      function: {
        name: "weather", description: "The weather.", strict: true,
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
  toolChoice: { type: "function", function: { name: "weather" } },
  parallelToolCalls: false,
  temperature: 0.5,
  topP: 0.9,
  randomSeed: 7,
  maxTokens: 4096,
  stop: ["END", "STOP"],
  presencePenalty: 0.25,
  frequencyPenalty: 0.5,
  metadata: { run: "r1", team: "south" },
  promptCacheKey: "key-1",
  safePrompt: true,
});

export async function chat(client, said) {
  await client.chat.complete(request());
  const schema = { type: "object", properties: { city: { type: "string" } }, required: ["city"] };
  const asked = {
    ...request(),
    toolChoice: "any",
    stop: "END",
    reasoningEffort: "high",
    responseFormat: { type: "json_schema", jsonSchema: { name: "City", strict: true, schemaDefinition: schema } },
  };
  for await (const _ of await client.chat.stream(asked));
  return said;
}
