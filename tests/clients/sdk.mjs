// TypeScript's client of before 2026-07-28, over Streamable HTTP, over HTTP with SSE (2024-11-05), and over stdio.
// It takes and prints what client.mjs does, without skills.

import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { SSEClientTransport } from '@modelcontextprotocol/sdk/client/sse.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { ElicitRequestSchema } from '@modelcontextprotocol/sdk/types.js';

const task = JSON.parse(process.argv[2]);
const { http, sse, stdio } = task.over;
const transport = http
  ? new StreamableHTTPClientTransport(new URL(http))
  : sse
    ? new SSEClientTransport(new URL(sse))
    : new StdioClientTransport({ command: stdio[0], args: stdio.slice(1), stderr: 'ignore' });

const client = new Client(
  { name: 'fleetgate-test', version: '1.0.0' },
  { capabilities: { elicitation: {} } }
);
const asked = [];
client.setRequestHandler(ElicitRequestSchema, async request => {
  asked.push(request.params.message);
  return { action: 'accept', content: task.answer };
});

// The client keeps what was negotiated to itself, and tells its transport.
let version = null;
const told = transport.setProtocolVersion?.bind(transport);
transport.setProtocolVersion = negotiated => {
  version = negotiated;
  told?.(negotiated);
};

const ended = work =>
  work.catch(error => ({ error: { code: error.code ?? null, message: error.message } }));

await client.connect(transport);
const said = { version, tools: (await client.listTools()).tools, calls: [], read: [], prompts: [], asked };
for (const call of task.calls ?? []) said.calls.push(await ended(client.callTool(call)));
for (const uri of task.read ?? []) said.read.push(await ended(client.readResource({ uri })));
for (const prompt of task.prompts ?? []) said.prompts.push(await ended(client.getPrompt(prompt)));
console.log(JSON.stringify(said));
await client.close();
