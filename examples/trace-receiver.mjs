// Takes traces by OTLP over HTTP and prints each as a tree. For a look without a tool of traces: node examples/trace-receiver.mjs
import { createServer } from 'node:http';

const port = Number(process.argv[2] ?? 4318);

function milliseconds(span) {
  return Number((BigInt(span.endTimeUnixNano) - BigInt(span.startTimeUnixNano)) / 1_000_000n);
}

function attributesOf({ attributes = [] }) {
  const scalarOf = ({ arrayValue, ...scalar }) =>
    arrayValue?.values?.map(scalarOf) ?? Object.values(scalar)[0];
  return Object.fromEntries(attributes.map(({ key, value }) => [key, scalarOf(value)]));
}

function show(spans) {
  const ids = new Set(spans.map(({ spanId }) => spanId));
  for (const top of spans.filter(({ parentSpanId = '' }) => !ids.has(parentSpanId))) {
    const told = attributesOf(top);
    console.log(`trace ${top.traceId} ${top.name} ${told['spear.execution.status']} ${milliseconds(top)} ms`);
    for (const key of ['spear.execution.id', 'error.type', 'spear.gates', 'spear.execution.attempts'])
      if (told[key] !== undefined) console.log(`  ${key} ${told[key]}`);
    for (const span of spans.filter(({ parentSpanId }) => parentSpanId === top.spanId)) {
      const after = (BigInt(span.startTimeUnixNano) - BigInt(top.startTimeUnixNano)) / 1_000_000n;
      console.log(`  ${span.name.padEnd(12)} after ${after} ms for ${milliseconds(span)} ms`);
    }
  }
}

createServer(async (request, response) => {
  let body = '';
  for await (const part of request) body += part;
  const { resourceSpans = [] } = JSON.parse(body);
  show(resourceSpans.flatMap(({ scopeSpans = [] }) => scopeSpans.flatMap(({ spans = [] }) => spans)));
  response.setHeader('content-type', 'application/json');
  response.end('{}');
}).listen(port, '127.0.0.1', () => console.log(`traces are taken at http://127.0.0.1:${port}`));
