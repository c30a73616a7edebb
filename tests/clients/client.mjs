// TypeScript's current client. It does what its argument says and prints what happened, as JSON:
//
//   {"over": {"http": URL} or {"sse": URL} or {"stdio": [PROGRAM, ARGUMENT…]},
//    "calls": [{"name": …, "arguments": {…}}], "read": [URI], "prompts": [{"name": …, "arguments": {…}}],
//    "skills": true, "answer": {…}}
//
// It takes the newest protocol version that both sides have, and answers each form with "answer".

import { Client, SSEClientTransport, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { SkillsClient } from '@modelcontextprotocol/client/ext/skills';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';

const task = JSON.parse(process.argv[2]);
const { http, sse, stdio } = task.over;
const transport = http
  ? new StreamableHTTPClientTransport(new URL(http))
  : sse
    ? new SSEClientTransport(new URL(sse))
    : new StdioClientTransport({ command: stdio[0], args: stdio.slice(1), stderr: 'ignore' });

const client = new Client(
  { name: 'fleetgate-test', version: '1.0.0' },
  { capabilities: { elicitation: {} }, versionNegotiation: { mode: 'auto' } }
);
const asked = [];
client.setRequestHandler('elicitation/create', async request => {
  asked.push(request.params.message);
  return { action: 'accept', content: task.answer };
});

const ended = work =>
  work.catch(error => ({ error: { code: error.code ?? null, message: error.message } }));

await client.connect(transport);
const said = {
  version: client.getNegotiatedProtocolVersion(),
  tools: (await client.listTools()).tools,
  calls: [],
  read: [],
  prompts: [],
  asked
};
for (const call of task.calls ?? []) said.calls.push(await ended(client.callTool(call)));
for (const uri of task.read ?? []) said.read.push(await ended(client.readResource({ uri })));
for (const prompt of task.prompts ?? []) said.prompts.push(await ended(client.getPrompt(prompt)));
if (task.skills) {
  // It verifies every file against the size and the digest that the list gives.
  const skills = new SkillsClient(client);
  said.skills = [];
  for (const entry of (await skills.list()).skills) {
    const files = [];
    for (const { uri } of entry.resources) files.push(await skills.read(entry, uri));
    said.skills.push({ uri: entry.uri, files: files.map(({ uri, verified }) => ({ uri, verified })) });
  }
}
console.log(JSON.stringify(said));
await client.close();
