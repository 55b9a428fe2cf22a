// The client of the official SDK, with its own standard streams as the line to the server.
import assert from "node:assert";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioServerTransport } from "@modelcontextprotocol/sdk/server/stdio.js";

const client = new Client({ name: "judge", version: "1.0.0" });
await client.connect(new StdioServerTransport());
assert.equal(client.getServerVersion().name, "interlingua");

const { tools } = await client.listTools();
assert.deepEqual(tools.map((tool) => tool.name), ["dig", "wait"]);
assert.equal(tools[0].inputSchema.type, "object");

const heard = [];
const result = await client.callTool({ name: "dig", arguments: {} }, undefined, {
  onprogress: (progress) => heard.push(progress),
});
assert.deepEqual(result.content, [{ type: "text", text: "found" }]);
assert.deepEqual(heard, [{ progress: 1, total: 2, message: "digging" }]);

const controller = new AbortController();
const waiting = client.callTool({ name: "wait", arguments: {} }, undefined, { signal: controller.signal });
setTimeout(() => controller.abort("enough"), 100);
await assert.rejects(waiting);
await assert.rejects(client.callTool({ name: "none", arguments: {} }), /no tool `none`/);
process.exit(0);
