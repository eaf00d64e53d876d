// An agent that starts in two seconds: it works for so long as a real one does, then asks the model and states what it states.
const began = process.cpuUsage();
let sum = 0;
for (let spent = 0; spent < 2_000_000; ) {
  for (let i = 0; i < 100_000; i += 1) sum += Math.sqrt(i);
  const { user, system } = process.cpuUsage(began);
  spent = user + system;
}
if (!Number.isFinite(sum)) process.exit(1);
const base = process.env['ANTHROPIC_BASE_URL'];
const system = `You are an agent. Working directory: ${process.cwd()}. Today's date is ${new Date().toLocaleDateString('en-CA')}.`;
const messages = [{ role: 'user', content: 'Create the file hello.txt.' }];
for (let turn = 0; turn < 2; turn += 1) {
  const response = await fetch(`${base}/v1/messages`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-api-key': process.env['ANTHROPIC_API_KEY'] ?? '', 'anthropic-version': '2023-06-01' },
    body: JSON.stringify({ model: 'rehearsal', max_tokens: 100, system, messages }),
  });
  const { content } = await response.json();
  messages.push({ role: 'assistant', content }, { role: 'user', content: `Step ${turn + 1} is done.` });
}
