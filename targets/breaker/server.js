// The checkout once more, for Node: POST /checkout/{account}/{order}, through what VARIANT names.
// README.md tells what each variant does to the service behind.

import http from 'node:http';
import { randomUUID } from 'node:crypto';

import { PaymentFailed, PaymentLate, Payments } from './payments.js';
import { CircuitOpen, variants } from './variants.js';

const { VARIANT, PAYMENTS_URL, PORT = '8080', HOST = '127.0.0.1' } = process.env;
const number = (name, otherwise) => Number(process.env[name] ?? otherwise);

if (!Object.hasOwn(variants, VARIANT)) {
  throw new Error(`VARIANT is ${VARIANT}, and there is none of that name`);
}
const guarded = variants[VARIANT](new Payments(PAYMENTS_URL), {
  threshold: number('THRESHOLD', 5),
  openMs: number('OPEN_MS', 1500),
  callTimeoutMs: number('CALL_TIMEOUT_MS', 600),
  windowMs: number('WINDOW_MS', 10000),
  buckets: number('BUCKETS', 10),
});

function problem(status, error) {
  return [status, JSON.stringify({ error })];
}

async function checkout(call) {
  try {
    const { status, body } = await guarded(call);
    return [status, body];
  } catch (error) {
    if (error instanceof CircuitOpen) return problem(503, 'payments are out of service');
    if (error instanceof PaymentLate) return problem(504, `payments: ${error.message}`);
    if (error instanceof PaymentFailed) return problem(502, `payments: ${error.message}`);
    throw error;
  }
}

async function answer(request, left) {
  if (request.method === 'GET' && request.url === '/healthz') return [200, '{"status": "ok"}'];
  const asked = request.url.match(/^\/checkout\/([^/?]+)\/([^/?]+)$/);
  if (request.method !== 'POST' || !asked) return problem(404, 'no such thing');
  const requestId = request.headers['x-request-id'] ?? randomUUID();
  return checkout({ account: asked[1], order: asked[2], requestId, left });
}

const server = http.createServer(async (request, response) => {
  // Closed before its answer: the caller has left. Closed after it: nobody needs what still goes on.
  const leaving = new AbortController();
  response.once('close', () => leaving.abort());
  let status, content;
  try {
    [status, content] = await answer(request, leaving.signal);
  } catch (error) {
    if (leaving.signal.aborted) return;
    console.error(error);
    [status, content] = problem(500, 'not known whether that was paid');
  }
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(content);
});

server.listen(Number(PORT), HOST);
process.once('SIGTERM', () => process.exit(0));
